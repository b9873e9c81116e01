import { describe, expect, it } from "vitest";
import { DataType, packedByteLength } from "./dataType.ts";
import { elementCount, halfToFloat, memorySource, Tensor } from "./tensor.ts";

describe("Tensor", () => {
  it("checks its bytes against type and shape, four-bit types two to a byte", () => {
    expect(() => Tensor.f32([2, 2], [1, 2, 3])).toThrow("16 bytes");
    expect(Tensor.of(DataType.INT4, [3], new Uint8Array(2)).byteLength).toBe(2);
    expect(packedByteLength(DataType.FLOAT6E2M3, 5)).toBe(4);
    expect(packedByteLength(DataType.STRING, 1)).toBeUndefined();
  });

  it("keeps the ends of int64, which no number reaches exactly", async () => {
    const bytes = await Tensor.i64([3], [2 ** 63, -(2 ** 63), 7]).bytes();
    expect([...new BigInt64Array(bytes.slice().buffer)]).toEqual([2n ** 63n - 1n, -(2n ** 63n), 7n]);
  });

  it.each([
    [DataType.FLOAT16, new Uint16Array([0x3c00, 0xc000]), [1, -2]],
    [DataType.BFLOAT16, new Uint16Array([0x3f80, 0xc000]), [1, -2]],
    [DataType.DOUBLE, new Float64Array([0.5, -2]), [0.5, -2]],
    [DataType.INT8, new Int8Array([-128, 127]), [-128, 127]],
    [DataType.UINT8, new Uint8Array([0, 255]), [0, 255]],
    [DataType.BOOL, new Uint8Array([0, 1]), [0, 1]],
    [DataType.INT16, new Int16Array([-3, 300]), [-3, 300]],
    [DataType.UINT32, new Uint32Array([7, 2 ** 31]), [7, 2 ** 31]],
    [DataType.INT4, new Uint8Array([0xf7]), [7, -1]],
    [DataType.UINT4, new Uint8Array([0xf7]), [7, 15]],
  ])("reads type %i as floats", async (type, data, expected) => {
    const tensor = Tensor.of(type, [2], data);
    expect([...(await tensor.floats())]).toEqual(expected);
    expect(tensor.numbers).toEqual(expected);
  });

  it("reads 64-bit integers as numbers, from bytes at any alignment", () => {
    const bytes = new Uint8Array(17);
    new DataView(bytes.buffer).setBigInt64(1, -5n, true);
    const tensor = new Tensor(DataType.INT64, [2], { inline: bytes.subarray(1) });
    expect(tensor.numbers).toEqual([-5, 0]);
  });

  it("reads what lies elsewhere only when asked", async () => {
    const source = memorySource(new Uint8Array(Float32Array.of(1, 2, 3).buffer));
    const tensor = new Tensor(DataType.FLOAT, [2], { ref: { source, offset: 4, length: 8 } });
    expect([tensor.numbers, tensor.byteLength]).toEqual([undefined, 8]);
    expect([...(await tensor.floats())]).toEqual([2, 3]);
    await expect(source.read(8, 8)).rejects.toThrow(RangeError);
  });

  it("has no floats where the type has none", async () => {
    await expect(Tensor.i64([1], [1]).floats()).rejects.toThrow("i64");
    await expect(new Tensor(DataType.STRING, [1], { strings: [new Uint8Array(1)] }).bytes()).rejects.toThrow("strings");
  });
});

it("half floats: subnormal, largest, infinite, none", () => {
  expect([0x0001, 0x7bff, 0x7c00, 0xfc00, 0x8000].map(halfToFloat)).toEqual([2 ** -24, 65504, Infinity, -Infinity, -0]);
  expect(halfToFloat(0x7e00)).toBeNaN();
});

it("refuses to count the elements of shapes that cannot be", () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([3, 0])).toBe(0);
  expect(() => elementCount([-1])).toThrow(RangeError);
  expect(() => elementCount([2 ** 30, 2 ** 30])).toThrow("too large");
});
