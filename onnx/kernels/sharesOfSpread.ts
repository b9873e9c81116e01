/** How far each of some tensors of one size lies from the mean of all. */

/** Squared distances, as shares of their sum; zeros where sizes differ or all are equal. */
export function sharesOfSpread(rows: readonly Float32Array[]): Float64Array {
  const shares = new Float64Array(rows.length);
  const size = rows.length > 0 ? rows[0].length : 0;
  if (rows.some(({ length }) => length !== size)) return shares;
  const mean = new Float64Array(size);
  for (const row of rows) for (let i = 0; i < size; i++) mean[i] += row[i] / rows.length;
  let all = 0;
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r];
    let sum = 0;
    for (let i = 0; i < size; i++) sum += (row[i] - mean[i]) ** 2;
    shares[r] = sum;
    all += sum;
  }
  return all > 0 ? shares.map((sum) => sum / all) : shares;
}
