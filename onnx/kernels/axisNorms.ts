/** Sum of |x| (power 1) or x^2 (power 2) of each slice of a tensor along one axis. */
export function axisNorms(data: Float32Array, dims: readonly number[], axis: number, power: 1 | 2): Float64Array {
  const size = dims[axis];
  let inner = 1;
  for (let i = axis + 1; i < dims.length; i++) inner *= dims[i];
  const sums = new Float64Array(size);
  for (let at = 0; at < data.length; ) {
    for (let index = 0; index < size; index++) {
      let sum = 0;
      for (const end = at + inner; at < end; at++) sum += power === 1 ? Math.abs(data[at]) : data[at] * data[at];
      sums[index] += sum;
    }
  }
  return sums;
}
