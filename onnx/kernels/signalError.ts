/** How far a tensor is from its reference: energies add up over tensors, so that a ratio of sums is one of all of them. */
export interface SignalError {
  /** Sum of squares of the reference. */
  signal: number;
  /** Sum of squares of the difference. */
  error: number;
  /** Largest absolute difference. */
  maxAbs: number;
}

/** Adds a pair of tensors of one size; a NaN on either side makes the sums NaN. */
export function addSignalError(reference: ArrayLike<number>, candidate: ArrayLike<number>, into: SignalError): void {
  for (let i = 0; i < reference.length; i++) {
    const difference = candidate[i] - reference[i];
    into.signal += reference[i] * reference[i];
    into.error += difference * difference;
    const size = Math.abs(difference);
    if (size > into.maxAbs) into.maxAbs = size;
  }
}
