/**
 * What calibration and quantization both do to a model first, so that they speak of the same tensors: constants in one
 * form, and BatchNormalization and friends taken into the layer before them, whose result they share.
 */
import type { Model } from "../../ir/graph.ts";
import type { PassContext } from "../pass.ts";
import { fuseAffine } from "../simplify/convAffine.ts";
import { constantsToInitializers, dropUnusedInitializers, inputsToConstants } from "../simplify/initializers.ts";
import { simplify } from "../simplify/simplify.ts";
import { QuantizeError } from "./quantizeError.ts";

const preparation = simplify([constantsToInitializers, inputsToConstants, fuseAffine, dropUnusedInitializers]);

/** Operators of models that are in integers already. */
const INTEGER_OPERATORS: readonly string[] = [
  "QuantizeLinear",
  "DequantizeLinear",
  "DynamicQuantizeLinear",
  "QLinearConv",
  "QLinearMatMul",
  "ConvInteger",
  "MatMulInteger",
  "MatMulNBits",
];

export async function prepareForQuantization(model: Model, ctx: PassContext = {}): Promise<void> {
  const integer = model.graph.nodes.find((node) => INTEGER_OPERATORS.includes(node.opType));
  if (integer) {
    throw new QuantizeError(
      "already-quantized",
      `the model is quantized already: it has a ${integer.opType} ("${integer.name || integer.output().name}")`,
      "Start from the FP32 model that it was made from.",
    );
  }
  await preparation.run(model, ctx);
}
