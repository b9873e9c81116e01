/** The operator sets that upgrades go between, and the file format each came with. */

export const OLDEST_OPSET = 7;
export const NEWEST_OPSET = 25;

/** IR version that an operator set came with (onnx/docs/Versioning.md). */
export const IR_VERSIONS: readonly (readonly [opset: number, ir: number])[] = [
  [7, 3],
  [9, 4],
  [10, 5],
  [11, 6],
  [12, 7],
  [15, 8],
  [19, 9],
  [21, 10],
  [23, 11],
  [24, 12],
  [25, 13],
];
