/** Inputs out of nothing: the same numbers on every machine and in every run, so that two runs compare. */
import { DataType, dataTypeName } from "./ir/dataType.ts";
import type { HostTensor } from "./ir/hostTensor.ts";
import { elementCount } from "./ir/tensor.ts";

/** For reports. Integers stay 0 or 1, since they may be indices into a table of unknown length. */
export const seededValuesText = "floats uniform in 0..1, 8-bit 0..255 (u8), other integers 0 or 1";

/** `random` gives numbers in 0..1 (`mulberry32`); throws TypeError for a type that has no such values. */
export function seededTensor(dataType: number, dims: readonly number[], random: () => number): HostTensor {
  return { dataType, dims, data: seededData(dataType, elementCount(dims), random) };
}

function seededData(dataType: number, count: number, random: () => number): HostTensor["data"] {
  const bit = () => Math.floor(random() * 2);
  const bigBit = () => BigInt(bit());
  switch (dataType) {
    case DataType.FLOAT:
      return fill(new Float32Array(count), random);
    case DataType.DOUBLE:
      return new Float64Array(count).map(random);
    case DataType.FLOAT16:
      // Sign and exponent of 0.5..1, a random fraction: no conversion needed.
      return new Uint16Array(count).map(() => 0x3800 | Math.floor(random() * 1024));
    case DataType.UINT8:
      return new Uint8Array(count).map(() => Math.floor(random() * 256));
    case DataType.BOOL:
      return new Uint8Array(count).map(bit);
    case DataType.INT8:
      return new Int8Array(count).map(bit);
    case DataType.UINT16:
      return new Uint16Array(count).map(bit);
    case DataType.INT16:
      return new Int16Array(count).map(bit);
    case DataType.INT32:
      return new Int32Array(count).map(bit);
    case DataType.UINT32:
      return new Uint32Array(count).map(bit);
    case DataType.INT64:
      return new BigInt64Array(count).map(bigBit);
    case DataType.UINT64:
      return new BigUint64Array(count).map(bigBit);
    default:
      throw new TypeError(`no input of type ${dataTypeName(dataType)} can be made`);
  }
}

/** A picture has millions: a plain loop takes a third of the time of a `map`. */
function fill(values: Float32Array<ArrayBuffer>, random: () => number): Float32Array<ArrayBuffer> {
  for (let i = 0; i < values.length; i++) values[i] = random();
  return values;
}

/** Tommy Ettinger's mulberry32: 32 bits of state are enough for inputs. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
