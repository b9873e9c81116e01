import { samplePositions } from "./convSamples.ts";

/**
 * Values of each channel (an index along `axis`) at up to `rows` positions, the same for all channels: column-major
 * [channels + 1, rows], the last column ones.
 */
export function sampleChannels(
  data: Float32Array,
  dims: readonly number[],
  at: { readonly axis: number; readonly rows: number; readonly seed: number },
): { columns: Float32Array; rows: number } {
  const channels = dims[at.axis];
  const inner = dims.slice(at.axis + 1).reduce((a, b) => a * b, 1);
  const positions = samplePositions(data.length / channels, at.rows, at.seed);
  const rows = positions.length;
  const columns = new Float32Array((channels + 1) * rows);
  for (let r = 0; r < rows; r++) {
    let from = Math.floor(positions[r] / inner) * channels * inner + (positions[r] % inner);
    for (let c = 0; c < channels; c++) {
      columns[c * rows + r] = data[from];
      from += inner;
    }
  }
  columns.fill(1, channels * rows);
  return { columns, rows };
}
