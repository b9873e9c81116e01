/** Calibration cannot go on with this model or these images; `fix` says what to do. */
export class CalibrationError extends Error {
  override readonly name = "CalibrationError";
  constructor(
    readonly code: string,
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}
