/** Whether no value is a NaN or an infinity: either, times zero, is a NaN, and a NaN cannot leave a sum. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * 0;
  return sum === 0;
}
