/** Element types of tensors, by the codes of TensorProto.DataType (onnx.proto). */
export const DataType = {
  UNDEFINED: 0,
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
  COMPLEX64: 14,
  COMPLEX128: 15,
  BFLOAT16: 16,
  FLOAT8E4M3FN: 17,
  FLOAT8E4M3FNUZ: 18,
  FLOAT8E5M2: 19,
  FLOAT8E5M2FNUZ: 20,
  UINT4: 21,
  INT4: 22,
  FLOAT4E2M1: 23,
  FLOAT8E8M0: 24,
  UINT2: 25,
  INT2: 26,
  FLOAT6E2M3: 27,
  FLOAT6E3M2: 28,
} as const;

const SHORT_NAMES: Record<number, string> = {
  1: "f32",
  2: "u8",
  3: "i8",
  4: "u16",
  5: "i16",
  6: "i32",
  7: "i64",
  8: "string",
  9: "bool",
  10: "f16",
  11: "f64",
  12: "u32",
  13: "u64",
  14: "c64",
  15: "c128",
  16: "bf16",
  17: "f8e4m3fn",
  18: "f8e4m3fnuz",
  19: "f8e5m2",
  20: "f8e5m2fnuz",
  21: "u4",
  22: "i4",
  23: "f4e2m1",
  24: "f8e8m0",
  25: "u2",
  26: "i2",
  27: "f6e2m3",
  28: "f6e3m2",
};

const BITS: Record<number, number> = {
  1: 32,
  2: 8,
  3: 8,
  4: 16,
  5: 16,
  6: 32,
  7: 64,
  9: 8,
  10: 16,
  11: 64,
  12: 32,
  13: 64,
  14: 64,
  15: 128,
  16: 16,
  17: 8,
  18: 8,
  19: 8,
  20: 8,
  21: 4,
  22: 4,
  23: 4,
  24: 8,
  25: 2,
  26: 2,
  27: 6,
  28: 6,
};

/** Short name as the canvas shows it: `f32`, `i8`; `type 99` for a code this version does not know. */
export function dataTypeName(code: number): string {
  return SHORT_NAMES[code] ?? `type ${code}`;
}

/** Bits of one element; undefined for strings and codes this version does not know. */
export function dataTypeBits(code: number): number | undefined {
  return BITS[code];
}

/** Bytes of `count` packed elements: types under a byte share bytes, low bits first (onnx.proto, TensorProto.raw_data). */
export function packedByteLength(code: number, count: number): number | undefined {
  const bits = BITS[code];
  return bits === undefined ? undefined : Math.ceil((count * bits) / 8);
}
