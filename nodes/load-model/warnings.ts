/** What in a model will hurt on a device, and what to do about each. */
import type { Inference } from "../../onnx/infer.ts";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { Model, Node, Value } from "../../onnx/ir/graph.ts";
import { opDef } from "../../onnx/ops/index.ts";
import type { ModelWarning } from "./report.ts";

/** QDQ per channel came with opset 13. */
const GOOD_OPSET = 13;
const KNOWN_DOMAINS = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];
const CONTROL_FLOW = ["If", "Loop", "Scan"];
const DATA_DEPENDENT = ["NonMaxSuppression", "NonZero", "Unique", "Compress"];

export function warningsOf(model: Model, nodes: readonly Node[], inference: Inference): ModelWarning[] {
  const warnings: ModelWarning[] = [];
  const warn = (code: string, message: string, fix: string) => warnings.push({ code, message, fix });
  const operators = (wanted: (node: Node) => boolean) => summary(nodes.filter(wanted));

  const dynamic = model.graph.feeds.filter(isDynamic);
  if (dynamic.length > 0) {
    warn(
      "dynamic-shape",
      `Dynamic dimensions in ${dynamic.map(shapeText).join(", ")}: devices build and measure for fixed ones`,
      "Set inputShapes to the sizes that will be used.",
    );
  }
  if (model.opset < GOOD_OPSET) {
    warn(
      "old-opset",
      `Written for opset ${model.opset}; per-channel quantisation and current compilers want ${GOOD_OPSET} or later`,
      "Export the model with a later opset, or let quantize raise it.",
    );
  }
  const overridable = model.graph.inputs.filter((value) => value.initializer);
  if (overridable.length > 0) {
    warn(
      "weights-among-inputs",
      `${overridable.length} weights are listed as inputs, so runtimes take them for variables and fold nothing`,
      "Simplify takes them off the list.",
    );
  }
  const own = new Set(model.functions.map(({ domain, name }) => `${domain}.${name}`));
  const defined = operators(({ domain, opType }) => own.has(`${domain}.${opType}`));
  if (defined) {
    warn(
      "functions",
      `The file defines operators of its own, which no pass looks into: ${defined}`,
      "Inline them first (onnx.inliner).",
    );
  }
  const foreign = operators(({ domain, opType }) => !KNOWN_DOMAINS.includes(domain) && !own.has(`${domain}.${opType}`));
  if (foreign) {
    warn("custom-domain", `Operators that no stock runtime has: ${foreign}`, "Export without custom operators.");
  }
  const unknown = inference.unknown.filter(({ node }) => KNOWN_DOMAINS.includes(node.domain));
  const unheard = unknown.filter(({ node }) => !opDef(node.domain, node.opType)).map(({ node }) => node);
  if (unheard.length > 0) {
    warn(
      "unknown-operator",
      `Operators that are not known here, by name: ${summary(unheard)}`,
      "If a runtime refuses them too, export the model for a standard opset.",
    );
  }
  const unclear = unknown.filter(({ node }) => opDef(node.domain, node.opType));
  if (unclear.length > 0) {
    warn(
      "unknown-shape",
      `Shapes are unknown behind ${summary(unclear.map(({ node }) => node))} (${unclear[0]?.reason ?? ""})`,
      "Figures behind them are missing; pruning leaves these parts alone.",
    );
  }
  if (inference.contradictions.length > 0) {
    const [first] = inference.contradictions;
    warn(
      "wrong-shape",
      `${inference.contradictions.length} stated shapes are wrong, the first is that of "${first?.value.name ?? ""}"`,
      "Runtimes may refuse the model; export it again.",
    );
  }
  const control = operators((node) => CONTROL_FLOW.includes(node.opType));
  if (control)
    warn("control-flow", `Control flow (${control}) is slow or refused on devices`, "Export a traced model.");
  const dependent = operators((node) => DATA_DEPENDENT.includes(node.opType));
  if (dependent) {
    warn(
      "data-dependent-shape",
      `${dependent}: how much comes out depends on the picture`,
      "Export without post-processing and use the nms node.",
    );
  }
  const doubles = operators((node) => node.outputs.some((value) => value?.type?.elemType === DataType.DOUBLE));
  if (doubles) warn("float64", `Computes in 64-bit floats: ${doubles}`, "Convert the model to 32 bits before export.");
  const qOperators = operators((node) => /^(QLinear|.*Integer$)/.test(node.opType));
  if (qOperators) {
    warn(
      "q-operators",
      `Quantised in the QOperator form (${qOperators}), which TensorRT and most passes do not take`,
      "Start from the float model and use quantize, which writes QDQ.",
    );
  }
  if (nodes.some((node) => node.opType === "QuantizeLinear" || node.opType === "DequantizeLinear")) {
    warn("quantised", "Quantised already (QDQ)", "Start from the float model to quantise it another way.");
  }
  const unfused = operators((node) => node.opType === "BatchNormalization" && follows(node, ["Conv", "ConvTranspose"]));
  if (unfused)
    warn(
      "unfused-batchnorm",
      `Batch normalisation stands apart from its convolution: ${unfused}`,
      "Simplify folds it in.",
    );
  const training = operators(
    (node) => node.int("training_mode") === 1 || (node.opType === "BatchNormalization" && node.outputs.length > 1),
  );
  if (training) warn("training-mode", `Exported in training mode: ${training}`, "Call model.eval() and export again.");
  return warnings;
}

function isDynamic(value: Value): boolean {
  return !value.shape || value.shape.some((dim) => typeof dim !== "number");
}

export function shapeText({ name, shape }: Value): string {
  return `${name} ${shape ? `[${shape.map((dim) => dim ?? "?").join(", ")}]` : "of unknown shape"}`;
}

/** `2 Loop, 1 If`; undefined for none. */
function summary(nodes: readonly Node[]): string | undefined {
  if (nodes.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return [...counts].map(([opType, count]) => `${count} ${opType}`).join(", ");
}

function follows(node: Node, opTypes: readonly string[]): boolean {
  const producer = node.inputs[0]?.producer;
  return producer !== undefined && opTypes.includes(producer.opType);
}
