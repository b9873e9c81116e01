/** The farthest from zero; infinite where a number is a NaN or an infinity. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    // A NaN is below nothing, and above nothing either.
    if (!(size <= most)) most = size;
    if (Number.isNaN(most)) return Number.POSITIVE_INFINITY;
  }
  return most;
}
