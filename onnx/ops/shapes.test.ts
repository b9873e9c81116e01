/** What the backend tests do not hold: symbols, older opsets, contradictions. */

import { constantTensor, type OneNode, shapeTable, zeros } from "../../test/support/oneNodeModel.ts";
import { DataType } from "../ir/dataType.ts";
import type { Shape } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";

const i64 = (...elements: number[]) => Tensor.i64([elements.length], elements);

const conv = (attributes: OneNode["attributes"], x: Shape, w: readonly number[]): OneNode => ({
  opType: "Conv",
  inputs: [x, zeros(DataType.FLOAT, w)],
  attributes: attributes ?? {},
});

shapeTable("convolutions and windows", [
  ["symbolic batch stays", conv({ pads: [1, 1, 1, 1] }, ["batch", 3, 32, 32], [8, 3, 3, 3]), [["batch", 8, 32, 32]]],
  ["a symbolic size is unknown after", conv({}, [1, 3, "height", 32], [8, 3, 3, 3]), [[1, 8, null, 30]]],
  [
    "SAME keeps what strides leave",
    conv({ auto_pad: "SAME_UPPER", strides: [2, 2] }, [1, 3, 15, 16], [8, 3, 3, 3]),
    [[1, 8, 8, 8]],
  ],
  ["VALID ignores pads", conv({ auto_pad: "VALID", pads: [1, 1, 1, 1] }, [1, 3, 8, 8], [8, 3, 3, 3]), [[1, 8, 6, 6]]],
  ["depthwise", conv({ group: 8 }, [1, 8, 8, 8], [8, 1, 3, 3]), [[1, 8, 6, 6]]],
  ["one spatial dimension", conv({ strides: [2] }, [1, 80, 3000], [384, 80, 3]), [[1, 384, 1499]]],
  ["channels that differ", conv({}, [1, 4, 8, 8], [8, 3, 3, 3]), /4 channels, the weight wants 3/],
  ["a window that does not fit", conv({}, [1, 3, 2, 2], [8, 3, 3, 3]), /does not fit into 2/],
  ["strides of 0", conv({ strides: [0, 0] }, [1, 3, 8, 8], [8, 3, 3, 3]), /must be positive/],
  ["pads of the wrong length", conv({ pads: [1, 1] }, [1, 3, 8, 8], [8, 3, 3, 3]), /pads has 2 entries where 4/],
  [
    "ceil_mode leaves out a window in the padding",
    {
      opType: "MaxPool",
      inputs: [[1, 1, 6, 6]],
      attributes: { kernel_shape: [1, 1], strides: [2, 2], ceil_mode: 1, pads: [0, 0, 1, 1] },
    },
    [[1, 1, 3, 3]],
  ],
  [
    "MaxPool's second output",
    { opType: "MaxPool", inputs: [[1, 1, 4, 4]], attributes: { kernel_shape: [2, 2] }, outputs: 2 },
    [
      [1, 1, 3, 3],
      [1, 1, 3, 3],
    ],
  ],
  ["GlobalAveragePool", { opType: "GlobalAveragePool", inputs: [["n", 8, 7, "w"]] }, [["n", 8, 1, 1]]],
  [
    "ConvTranspose doubles",
    {
      opType: "ConvTranspose",
      inputs: [[1, 8, 5, 5], zeros(DataType.FLOAT, [8, 4, 2, 2])],
      attributes: { strides: [2, 2] },
    },
    [[1, 4, 10, 10]],
  ],
]);

shapeTable("shapes", [
  ["Reshape copies 0 and solves -1", { opType: "Reshape", inputs: [["n", 4, 6], i64(0, 2, -1)] }, [["n", 2, 12]]],
  ["Reshape cancels symbols", { opType: "Reshape", inputs: [["n", "s", 12], i64(0, -1, 3, 4)] }, [["n", "s", 3, 4]]],
  [
    "Reshape in opset 1 has an attribute",
    { opType: "Reshape", opset: 4, inputs: [[2, 6]], attributes: { shape: [3, 4] } },
    [[3, 4]],
  ],
  ["Reshape of the wrong size", { opType: "Reshape", inputs: [[2, 3], i64(4, 2)] }, /does not reshape/],
  ["Reshape to what does not divide", { opType: "Reshape", inputs: [[2, 3], i64(4, -1)] }, /does not reshape/],
  ["Reshape with two -1", { opType: "Reshape", inputs: [[2, 3], i64(-1, -1)] }, /more than one -1/],
  ["Reshape allowzero", { opType: "Reshape", inputs: [[0, 3], i64(3, 0)], attributes: { allowzero: 1 } }, [[3, 0]]],
  [
    "Reshape by an unknown target keeps the rank",
    { opType: "Reshape", inputs: [[2, 3], { elemType: DataType.INT64, shape: [4] }] },
    [[null, null, null, null]],
  ],
  [
    "a target of absurd rank",
    { opType: "Reshape", inputs: [[2, 3], { elemType: DataType.INT64, shape: [1e12] }] },
    [undefined],
  ],
  [
    "Squeeze by attribute",
    { opType: "Squeeze", opset: 11, inputs: [[1, "n", 1]], attributes: { axes: [0] } },
    [["n", 1]],
  ],
  ["Squeeze by input", { opType: "Squeeze", inputs: [[1, "n", 1], i64(-1)] }, [[1, "n"]]],
  ["Squeeze of a symbol without axes", { opType: "Squeeze", inputs: [[1, "n"]] }, [undefined]],
  ["Squeeze of 3", { opType: "Squeeze", inputs: [[3], i64(0)] }, /size 3/],
  [
    "Unsqueeze by attribute",
    { opType: "Unsqueeze", opset: 11, inputs: [["n"]], attributes: { axes: [0, 2] } },
    [[1, "n", 1]],
  ],
  ["Unsqueeze twice at one place", { opType: "Unsqueeze", inputs: [[3], i64(0, 0)] }, /twice/],
  ["Flatten", { opType: "Flatten", inputs: [["n", 4, 6]] }, [["n", 24]]],
  ["Transpose reverses", { opType: "Transpose", inputs: [["n", 2, 3]] }, [[3, 2, "n"]]],
  [
    "Transpose by a wrong perm",
    { opType: "Transpose", inputs: [[2, 3]], attributes: { perm: [0, 1, 2] } },
    /does not fit rank 2/,
  ],
  ["Expand", { opType: "Expand", inputs: [["n", 1], i64(1, 5)] }, [["n", 5]]],
  ["Tile", { opType: "Tile", inputs: [["n", 2], i64(1, 3)] }, [["n", 6]]],
  [
    "Pad by attribute",
    { opType: "Pad", opset: 10, inputs: [["n", 2]], attributes: { pads: [0, 1, 0, 2] } },
    [["n", 5]],
  ],
  ["Pad by axes", { opType: "Pad", opset: 18, inputs: [["n", 2], i64(1, 2), null, i64(-1)] }, [["n", 5]]],
  [
    "DepthToSpace",
    { opType: "DepthToSpace", inputs: [["n", 8, 2, 3]], attributes: { blocksize: 2 } },
    [["n", 2, 4, 6]],
  ],
  [
    "Reshape by a constant of the wrong kind",
    { opType: "Reshape", inputs: [[2, 3], constantTensor(DataType.FLOAT, [2], [3, 2])] },
    [[3, 2]],
  ],
  ["Size needs no data", { opType: "Size", inputs: [["n", 2]] }, [[]]],
]);

shapeTable("parts and joins", [
  [
    "Concat adds along its axis",
    {
      opType: "Concat",
      inputs: [
        ["n", 2],
        ["n", 3],
      ],
      attributes: { axis: -1 },
    },
    [["n", 5]],
  ],
  [
    "Concat fills in what one side knows",
    {
      opType: "Concat",
      inputs: [
        ["n", 2],
        [4, 3],
      ],
      attributes: { axis: 1 },
    },
    [[4, 5]],
  ],
  [
    "Concat of sizes that differ",
    {
      opType: "Concat",
      inputs: [
        [3, 2],
        [4, 3],
      ],
      attributes: { axis: 1 },
    },
    /3 and 4 differ/,
  ],
  [
    "Split by attribute",
    { opType: "Split", opset: 11, inputs: [["n", 5]], attributes: { axis: 1, split: [2, 3] }, outputs: 2 },
    [
      ["n", 2],
      ["n", 3],
    ],
  ],
  [
    "Split into uneven parts (18)",
    { opType: "Split", opset: 18, inputs: [[7]], attributes: { num_outputs: 2 }, outputs: 2 },
    [[4], [3]],
  ],
  ["Split that does not divide (13)", { opType: "Split", inputs: [[7]], outputs: 2 }, /does not split into 2/],
  [
    "Slice by attribute",
    { opType: "Slice", opset: 9, inputs: [["n", 10]], attributes: { axes: [1], starts: [2], ends: [-1] } },
    [["n", 7]],
  ],
  ["Slice backwards", { opType: "Slice", inputs: [[10], i64(-1), i64(-11), i64(0), i64(-2)] }, [[5]]],
  [
    "Slice of a symbol to its end keeps it",
    { opType: "Slice", inputs: [["n", 10], i64(0), i64(2 ** 53), i64(0)] },
    [["n", 10]],
  ],
  [
    "Slice of a symbol elsewhere loses it",
    { opType: "Slice", inputs: [["n", 10], i64(1), i64(5), i64(0)] },
    [[null, 10]],
  ],
  ["Gather a row", { opType: "Gather", inputs: [["n", 4], Tensor.i64([], [0])] }, [[4]]],
  [
    "Gather along the last axis",
    { opType: "Gather", inputs: [["n", 4], { elemType: DataType.INT64, shape: [2, "k"] }], attributes: { axis: -1 } },
    [["n", 2, "k"]],
  ],
  [
    "TopK by attribute",
    { opType: "TopK", opset: 9, inputs: [["n", 10]], attributes: { k: 3 }, outputs: 2 },
    [
      ["n", 3],
      ["n", 3],
    ],
  ],
  ["TopK of too many", { opType: "TopK", inputs: [[2], i64(3)], outputs: 2 }, /k is 3/],
]);
