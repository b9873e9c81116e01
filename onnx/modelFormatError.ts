/** The bytes are no ONNX model that can be trusted: what is wrong, and what its owner can do. */
export class ModelFormatError extends Error {
  override readonly name = "ModelFormatError";
  constructor(
    /** kebab-case, stable: tests and interfaces read it. */
    readonly code: string,
    message: string,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
