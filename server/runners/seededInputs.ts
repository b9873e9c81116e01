/** Inputs for timing: the same numbers on every machine and in every run, so that two measurements compare. */
import type { TensorInfo } from "../../nodes/context.ts";
import { UserError } from "../../nodes/context.ts";
import { packedByteLength } from "../../onnx/ir/dataType.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { elementCount } from "../../onnx/ir/tensor.ts";
import { mulberry32, seededTensor, seededValuesText } from "../../onnx/seededTensor.ts";

const SEED = 1;
const MAX_INPUT_BYTES = 2 ** 30;

/** For reports. */
export const seededInputsText = `${seededValuesText}; seed ${SEED}`;

/**
 * One tensor for each input. Dimensions that are not fixed take `openSize`, the first of a shape 1; where that is 0 they
 * throw UserError.
 */
export function seededInputs(inputs: readonly TensorInfo[], openSize = 0): HostTensors {
  const random = mulberry32(SEED);
  const sized = (info: TensorInfo) =>
    openSize === 0
      ? info
      : { ...info, dims: info.dims.map((dim, axis) => (dim >= 0 ? dim : axis === 0 ? 1 : openSize)) };
  return Object.fromEntries(inputs.map((info) => [info.name, seededInput(sized(info), random)]));
}

function seededInput({ name, dataType, dims }: TensorInfo, random: () => number): HostTensor {
  if (dims.includes(-1)) {
    const shape = dims.map((dim) => (dim === -1 ? "?" : dim)).join(",");
    throw new UserError(
      "dynamic-input",
      `the input "${name}" has the shape [${shape}], and a time needs a fixed one`,
      `Set openSize of profile, or freeze it in load-model: inputShapes = {"${name}": [${dims.map((dim) => (dim === -1 ? 1 : dim)).join(",")}]}, with the sizes you deploy.`,
    );
  }
  const count = elementCount(dims);
  if ((packedByteLength(dataType, count) ?? Number.POSITIVE_INFINITY) > MAX_INPUT_BYTES) {
    throw new UserError("input-too-large", `the input "${name}" takes more than 1 GB`, "Freeze it to a smaller shape.");
  }
  return seededTensor(dataType, dims, random);
}
