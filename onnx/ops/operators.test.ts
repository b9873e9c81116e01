/** Arithmetic with symbols and older opsets, and the operators that ONNX Runtime writes. */

import { shapeTable, zeros } from "../../test/support/oneNodeModel.ts";
import { DataType } from "../ir/dataType.ts";
import type { Shape } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";

const i64 = (...elements: number[]) => Tensor.i64([elements.length], elements);
const f32 = (...elements: number[]) => Tensor.f32([elements.length], elements);
const u8 = (shape: Shape) => ({ elemType: DataType.UINT8, shape });
const scale = Tensor.f32([], [0.1]);
const zero = zeros(DataType.UINT8, []);

shapeTable("arithmetic", [
  [
    "broadcasting symbols",
    {
      opType: "Add",
      inputs: [
        ["n", 1, 4],
        ["s", 4],
      ],
    },
    [["n", "s", 4]],
  ],
  ["two symbols may be anything", { opType: "Mul", inputs: [["a"], ["b"]] }, [[null]]],
  ["what does not broadcast", { opType: "Add", inputs: [[2], [3]] }, /do not broadcast/],
  [
    "MatMul with batches",
    {
      opType: "MatMul",
      inputs: [
        ["n", 12, "s", 32],
        ["n", 12, 32, "s"],
      ],
    },
    [["n", 12, "s", "s"]],
  ],
  ["MatMul of vectors", { opType: "MatMul", inputs: [[4], [4]] }, [[]]],
  [
    "MatMul that does not fit",
    {
      opType: "MatMul",
      inputs: [
        [2, 3],
        [4, 5],
      ],
    },
    /inner dimensions: 3 and 4/,
  ],
  [
    "Gemm transposed",
    {
      opType: "Gemm",
      inputs: [
        ["n", 4],
        [10, 4],
      ],
      attributes: { transB: 1 },
    },
    [["n", 10]],
  ],
  [
    "Einsum of attention",
    {
      opType: "Einsum",
      inputs: [
        ["b", "i", 8, 64],
        ["b", "j", 8, 64],
      ],
      attributes: { equation: "bihd,bjhd->bhij" },
    },
    [["b", 8, "i", "j"]],
  ],
  [
    "Einsum without an arrow",
    {
      opType: "Einsum",
      inputs: [
        [2, 3],
        [3, 4],
      ],
      attributes: { equation: "ij,jk" },
    },
    [[2, 4]],
  ],
  [
    "ReduceMean by attribute",
    { opType: "ReduceMean", inputs: [["n", 3, 4]], attributes: { axes: [-1], keepdims: 0 } },
    [["n", 3]],
  ],
  ["ReduceSum by input", { opType: "ReduceSum", inputs: [["n", 3], i64(1)] }, [["n", 1]]],
  [
    "an empty ReduceSum that does nothing",
    { opType: "ReduceSum", inputs: [["n", 3]], attributes: { noop_with_empty_axes: 1 } },
    [["n", 3]],
  ],
  ["Resize by scales (10)", { opType: "Resize", opset: 10, inputs: [[1, 3, 4, 5], f32(1, 1, 2, 1.5)] }, [[1, 3, 8, 7]]],
  ["Resize by sizes", { opType: "Resize", inputs: [["n", 3, 4, 5], null, null, i64(1, 3, 8, 9)] }, [[1, 3, 8, 9]]],
  [
    "Resize keeps a symbol at scale 1",
    { opType: "Resize", inputs: [["n", 3, 4, "w"], null, f32(1, 1, 2, 2)] },
    [["n", 3, 8, null]],
  ],
  [
    "Upsample by attribute (7)",
    { opType: "Upsample", opset: 7, inputs: [[1, 3, 4, 4]], attributes: { scales: { floats: [1, 1, 2, 2] } } },
    [[1, 3, 8, 8]],
  ],
]);

shapeTable("quantized and fused", [
  [
    "QLinearConv",
    {
      opType: "QLinearConv",
      inputs: [
        u8([1, 3, 8, 8]),
        scale,
        zero,
        zeros(DataType.INT8, [4, 3, 3, 3]),
        scale,
        zeros(DataType.INT8, []),
        scale,
        zero,
      ],
    },
    [[1, 4, 6, 6]],
  ],
  [
    "QLinearConv, channels last",
    {
      opType: "QLinearConv",
      domain: "com.microsoft",
      inputs: [
        u8([1, 8, 8, 3]),
        scale,
        zero,
        zeros(DataType.INT8, [4, 3, 3, 3]),
        scale,
        zeros(DataType.INT8, []),
        scale,
        zero,
      ],
      attributes: { channels_last: 1 },
    },
    [[1, 6, 6, 4]],
  ],
  [
    "NhwcMaxPool",
    {
      opType: "NhwcMaxPool",
      domain: "com.microsoft",
      inputs: [u8([1, 8, 6, 3])],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
    [[1, 4, 3, 3]],
  ],
  [
    "QLinearConcat",
    {
      opType: "QLinearConcat",
      domain: "com.microsoft",
      inputs: [scale, zero, u8([1, 2, 4]), scale, zero, u8([1, 3, 4]), scale, zero],
      attributes: { axis: 1 },
    },
    [[1, 5, 4]],
  ],
  [
    "MatMulNBits",
    {
      opType: "MatMulNBits",
      domain: "com.microsoft",
      inputs: [["n", 32], zeros(DataType.UINT8, [64, 1, 16]), zeros(DataType.FLOAT, [64])],
      attributes: { N: 64, K: 32, bits: 4, block_size: 32 },
    },
    [["n", 64]],
  ],
  [
    "FusedMatMul transposed",
    {
      opType: "FusedMatMul",
      domain: "com.microsoft",
      inputs: [
        ["n", 4, 8],
        ["n", 5, 8],
      ],
      attributes: { transB: 1 },
    },
    [["n", 4, 5]],
  ],
  [
    "GroupQueryAttention, packed",
    {
      opType: "GroupQueryAttention",
      domain: "com.microsoft",
      inputs: [["n", "s", 96], null, null, ["n", 2, "past", 8]],
      attributes: { num_heads: 8, kv_num_heads: 2 },
      outputs: 2,
    },
    [
      ["n", "s", 64],
      ["n", 2, null, 8],
    ],
  ],
  ["an operator nobody knows", { opType: "Frobnicate", domain: "acme", inputs: [[1]] }, /acme:Frobnicate is not known/],
]);
