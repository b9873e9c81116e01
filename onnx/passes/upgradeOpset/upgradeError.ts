/** The model cannot be brought to a newer operator set; `fix` says what to do. */
export class UpgradeError extends Error {
  override readonly name = "UpgradeError";
  readonly code = "opset-upgrade";
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}
