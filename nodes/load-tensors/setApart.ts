/** Whether example `index` of `examples` is one of the `apart` that go to calibration: spread evenly over the file. */
export function isApart(index: number, apart: number, examples: number): boolean {
  return Math.floor(((index + 1) * apart) / examples) > Math.floor((index * apart) / examples);
}
