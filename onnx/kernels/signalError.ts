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
  let { maxAbs } = into;
  let signal = 0;
  let error = 0;
  for (let i = 0; i < reference.length; i++) {
    const difference = candidate[i] - reference[i];
    signal += reference[i] * reference[i];
    error += difference * difference;
    const size = Math.abs(difference);
    if (size > maxAbs) maxAbs = size;
  }
  into.signal += signal;
  into.error += error;
  into.maxAbs = maxAbs;
}

/** The same over the pairs that are finite; returns how many of the others differ: NaN equals NaN, an infinity itself. */
export function addFiniteSignalError(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  into: SignalError,
): number {
  let apart = 0;
  for (let i = 0; i < reference.length; i++) {
    const [a, b] = [reference[i], candidate[i]];
    if (!Number.isFinite(a) || !Number.isFinite(b)) {
      if (!Object.is(a, b)) apart++;
      continue;
    }
    const size = Math.abs(b - a);
    into.signal += a * a;
    into.error += size * size;
    if (size > into.maxAbs) into.maxAbs = size;
  }
  return apart;
}

/** How many pairs of integers are not equal. */
export function countUnequal(reference: ArrayLike<number>, candidate: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < reference.length; i++) if (reference[i] !== candidate[i]) count++;
  return count;
}
