import type { TypedArray } from "./tensor.ts";

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
