import { DataType } from "./dataType.ts";
import { type TypedArray, viewAs } from "./tensor.ts";

/**
 * A tensor in memory as runtimes take and give it: `data` in the element type's own width, row-major.
 * f16 and bf16 are Uint16Array, bool is Uint8Array, 4-bit types are packed two to a byte in a Uint8Array.
 */
export interface HostTensor {
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}

export type HostTensors = Readonly<Record<string, HostTensor>>;

/** Packed little-endian bytes in the element type's own width, copied only where the alignment demands it. */
export function typedArrayOf(dataType: number, bytes: Uint8Array): TypedArray {
  switch (dataType) {
    case DataType.FLOAT:
      return viewAs(Float32Array, bytes);
    case DataType.DOUBLE:
      return viewAs(Float64Array, bytes);
    case DataType.INT8:
      return viewAs(Int8Array, bytes);
    case DataType.INT16:
      return viewAs(Int16Array, bytes);
    case DataType.INT32:
      return viewAs(Int32Array, bytes);
    case DataType.INT64:
      return viewAs(BigInt64Array, bytes);
    case DataType.UINT16:
    case DataType.FLOAT16:
    case DataType.BFLOAT16:
      return viewAs(Uint16Array, bytes);
    case DataType.UINT32:
      return viewAs(Uint32Array, bytes);
    case DataType.UINT64:
      return viewAs(BigUint64Array, bytes);
    default:
      return bytes;
  }
}
