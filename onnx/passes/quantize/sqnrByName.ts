/** Signal over quantization noise of named tensors, over all frames together. */
import { DataType } from "../../ir/dataType.ts";
import type { HostTensor, HostTensors } from "../../ir/hostTensor.ts";
import { halfToFloat } from "../../ir/tensor.ts";
import { addSignalError, type SignalError } from "../../kernels/signalError.ts";

/** Stands for a tensor of which nothing is left (a NaN, or noise without any signal): reports know no infinity. */
const LOST_DB = -100;

export class SqnrByName {
  readonly #sums = new Map<string, SignalError>();

  /** One frame; what is not in floats, or missing on one side, is left out. */
  add(expected: HostTensors, got: HostTensors): void {
    for (const [name, tensor] of Object.entries(expected)) {
      const [a, b] = [floatsOf(tensor), got[name] && floatsOf(got[name])];
      if (!a || !b || a.length !== b.length) continue;
      const sum = this.#sums.get(name) ?? { signal: 0, error: 0, maxAbs: 0 };
      addSignalError(a, b, sum);
      this.#sums.set(name, sum);
    }
  }

  /** dB; absent where the two were equal. */
  result(): ReadonlyMap<string, number> {
    const sqnr = new Map<string, number>();
    for (const [name, { signal, error }] of this.#sums) {
      if (error === 0) continue;
      const db = 10 * Math.log10(signal / error);
      sqnr.set(name, Number.isFinite(db) ? db : LOST_DB);
    }
    return sqnr;
  }
}

/** Undefined for integers: there is no noise to speak of. */
export function floatsOf({ dataType, data }: HostTensor): Float32Array | undefined {
  if (data instanceof Float32Array) return data;
  const half = dataType === DataType.FLOAT16 && data instanceof Uint16Array;
  return half ? Float32Array.from(data, halfToFloat) : undefined;
}
