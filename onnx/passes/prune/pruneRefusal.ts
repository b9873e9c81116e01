/** The user asked for what this model or this wiring cannot give. */
export class PruneRefusal extends Error {
  override readonly name = "PruneRefusal";
  constructor(
    readonly code: string,
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}
