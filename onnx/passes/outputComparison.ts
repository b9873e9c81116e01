/** How far what one model gives is from what another gives for the same inputs, output by output, over several items. */
import { DataType } from "../ir/dataType.ts";
import type { HostTensor } from "../ir/hostTensor.ts";
import { halfToFloat } from "../ir/tensor.ts";
import { addFiniteSignalError, addSignalError, countUnequal, type SignalError } from "../kernels/signalError.ts";

export interface OutputDifference {
  /** Of all items together, dB; absent where the outputs are equal, the reference is zero, or they are 64-bit indices. */
  readonly sqnrDb?: number;
  /** |candidate - reference| / |reference|, of the values that are finite in both. */
  readonly relative: number;
  readonly maxAbs: number;
  /** Of integers, and of NaN and infinities: how many of `elements` are not the same; absent for finite floats. */
  readonly unequal?: number;
  readonly elements?: number;
  /** Why there is nothing to subtract: another type or another shape. */
  readonly mismatch?: string;
}

interface Sums extends SignalError {
  exact: boolean;
  indices: boolean;
  unequal: number;
  elements: number;
  mismatch?: string;
}

const NOTHING: Sums = { signal: 0, error: 0, maxAbs: 0, exact: false, indices: false, unequal: 0, elements: 0 };
const FLOATS: readonly number[] = [DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT16];

export class OutputComparison {
  readonly #sums = new Map<string, Sums>();

  /** One output of one item. */
  add(name: string, expected: HostTensor | undefined, actual: HostTensor | undefined): void {
    const sums = this.#sums.get(name) ?? { ...NOTHING };
    this.#sums.set(name, sums);
    const mismatch = mismatchOf(expected, actual);
    if (mismatch !== undefined) sums.mismatch = mismatch;
    if (!expected || !actual || mismatch !== undefined) return;
    const [a, b] = [numbersOf(expected), numbersOf(actual)];
    sums.elements += a.length;
    if (!FLOATS.includes(expected.dataType)) {
      sums.exact = true;
      sums.indices = expected.data instanceof BigInt64Array || expected.data instanceof BigUint64Array;
      sums.unequal += countUnequal(a, b);
    }
    const one = { signal: 0, error: 0, maxAbs: 0 };
    addSignalError(a, b, one);
    if (!Number.isFinite(one.signal + one.error)) {
      Object.assign(one, { signal: 0, error: 0, maxAbs: 0 });
      sums.exact = true;
      sums.unequal += addFiniteSignalError(a, b, one);
    }
    sums.signal += one.signal;
    sums.error += one.error;
    sums.maxAbs = Math.max(sums.maxAbs, one.maxAbs);
  }

  get differences(): Readonly<Record<string, OutputDifference>> {
    return Object.fromEntries([...this.#sums].map(([name, sums]) => [name, differenceOf(sums)]));
  }
}

function mismatchOf(expected: HostTensor | undefined, actual: HostTensor | undefined): string | undefined {
  if (!expected || !actual) return "it is missing";
  if (expected.dataType !== actual.dataType) return "it is of another type";
  if (expected.dims.join() === actual.dims.join()) return undefined;
  return `its shape is [${actual.dims.join(", ")}], not [${expected.dims.join(", ")}]`;
}

/** 64-bit integers beyond 2^53 come as their nearest number. */
function numbersOf({ dataType, data }: HostTensor): ArrayLike<number> {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  return dataType === DataType.FLOAT16 ? Float32Array.from(data, halfToFloat) : data;
}

function differenceOf({ signal, error, maxAbs, exact, indices, unequal, elements, mismatch }: Sums): OutputDifference {
  const sqnrDb = 10 * Math.log10(signal / error);
  return {
    ...(Number.isFinite(sqnrDb) && !indices && { sqnrDb }),
    relative: error === 0 ? 0 : Math.sqrt(error / (signal || 1)),
    maxAbs,
    ...(exact && { unequal, elements }),
    ...(mismatch !== undefined && { mismatch }),
  };
}
