/** Inputs for timing: the same numbers on every machine and in every run, so that two measurements compare. */
import type { TensorInfo } from "../../nodes/context.ts";
import { UserError } from "../../nodes/context.ts";
import { DataType, dataTypeName, packedByteLength } from "../../onnx/ir/dataType.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { elementCount } from "../../onnx/ir/tensor.ts";

const SEED = 1;
const MAX_INPUT_BYTES = 2 ** 30;

/** For reports. Integers stay 0 or 1, since they may be indices into a table of unknown length. */
export const seededInputsText = `floats uniform in 0..1, 8-bit 0..255 (u8), other integers 0 or 1; seed ${SEED}`;

/** One tensor for each input; throws UserError where a dimension is not fixed. */
export function seededInputs(inputs: readonly TensorInfo[]): HostTensors {
  const random = mulberry32(SEED);
  return Object.fromEntries(inputs.map((info) => [info.name, seededTensor(info, random)]));
}

function seededTensor({ name, dataType, dims }: TensorInfo, random: () => number): HostTensor {
  if (dims.includes(-1)) {
    const shape = dims.map((dim) => (dim === -1 ? "?" : dim)).join(",");
    throw new UserError(
      "dynamic-input",
      `the input "${name}" has the shape [${shape}], and a time needs a fixed one`,
      `Freeze it in load-model: inputShapes = {"${name}": [${dims.map((dim) => (dim === -1 ? 1 : dim)).join(",")}]}, with the sizes you deploy.`,
    );
  }
  const count = elementCount(dims);
  if ((packedByteLength(dataType, count) ?? Number.POSITIVE_INFINITY) > MAX_INPUT_BYTES) {
    throw new UserError("input-too-large", `the input "${name}" takes more than 1 GB`, "Freeze it to a smaller shape.");
  }
  return { dataType, dims, data: seededData(dataType, count, random) };
}

function seededData(dataType: number, count: number, random: () => number): HostTensor["data"] {
  const bit = () => Math.floor(random() * 2);
  const bigBit = () => BigInt(bit());
  switch (dataType) {
    case DataType.FLOAT:
      return new Float32Array(count).map(random);
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

/** Tommy Ettinger's mulberry32: 32 bits of state are enough for inputs. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
