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

/** One tensor for each input; throws UserError where a dimension is not fixed. */
export function seededInputs(inputs: readonly TensorInfo[]): HostTensors {
  const random = mulberry32(SEED);
  return Object.fromEntries(inputs.map((info) => [info.name, seededInput(info, random)]));
}

function seededInput({ name, dataType, dims }: TensorInfo, random: () => number): HostTensor {
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
  return seededTensor(dataType, dims, random);
}
