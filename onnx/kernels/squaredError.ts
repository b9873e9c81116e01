/** Adds the squares of a, and of a - b, to the sums. */
export function addSquaredError(a: Float32Array, b: Float32Array, into: { signal: number; noise: number }): void {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < a.length; i++) {
    const d = a[i] - b[i];
    signal += a[i] * a[i];
    noise += d * d;
  }
  into.signal += signal;
  into.noise += noise;
}
