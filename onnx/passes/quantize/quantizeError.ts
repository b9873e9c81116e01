/** The model cannot be quantized as asked; `fix` says what to do. */
export class QuantizeError extends Error {
  override readonly name = "QuantizeError";
  constructor(
    readonly code: string,
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}
