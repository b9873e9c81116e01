/**
 * FP16: weights and activations in half precision, with Casts where float must go on. Inputs and outputs of the model
 * stay in float unless asked otherwise, so that nothing around the model changes.
 *
 * A node stays in float where its operator has no half form, where a constant of it leaves the half range (65504), where
 * an activation was seen to leave it (by calibration, or on frames), where the types are not known, or where the user says so.
 */

import { inferShapes } from "../../infer.ts";
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Model, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { floatToHalf } from "../../kernels/floatToHalf.ts";
import { type CalibrationTable, calibrationOf } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { LARGEST_HALF } from "./beyondHalf.ts";
import { type LeftInFloat, nodeName } from "./layers.ts";
import { QuantizeError } from "./quantizeError.ts";

export interface HalfOptions {
  /** Type of the model's inputs and outputs. */
  readonly io: "float32" | "float16";
  readonly keepFloat: ReadonlySet<string>;
  /** Where given, layers whose activations leave the half range stay in float. */
  readonly table?: CalibrationTable | undefined;
  /** Values that were seen to leave the half range. */
  readonly beyond?: ReadonlySet<string> | undefined;
}

/** Operators that the standard defines for float, not for half. */
const FLOAT_ONLY: readonly string[] = ["NonMaxSuppression", "DynamicQuantizeLinear", "Range", "ImageDecoder"];
/** Inputs that stay in float in a half node: factors of positions, not data. */
const FLOAT_INPUTS: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2], Upsample: [1] };
/** Quantizers take half scales from this operator set on. */
const HALF_SCALES_OPSET = 19;

export async function convertToHalf(
  model: Model,
  options: HalfOptions,
): Promise<{ left: LeftInFloat[]; upgraded: Readonly<Record<string, number>> }> {
  const { graph } = model;
  const quantized = graph.nodes.some((node) => node.opType === "DequantizeLinear");
  const upgraded = quantized ? upgradeOpset(model, HALF_SCALES_OPSET) : {};
  inferShapes(model);
  const left: LeftInFloat[] = [];
  const half = new Set<Node>();
  for (const node of graph.nodes) {
    const reason = await reasonForFloat(node, options);
    if (reason === undefined) half.add(node);
    else if (touchesFloat(node)) left.push({ node: nodeName(node), opType: node.opType, reason });
  }
  if (![...half].some(touchesFloat)) {
    throw new QuantizeError(
      "nothing-to-convert",
      "no node is left that could take half precision: the model has no 32-bit floats, or all of it is kept in float",
      "Start from the FP32 model, or take names out of keepFloat.",
    );
  }
  const converter = new HalfConverter(graph, half);
  await converter.convert(options.io);
  return { left, upgraded };
}

async function reasonForFloat(node: Node, { keepFloat, table, beyond }: HalfOptions): Promise<string | undefined> {
  if (keepFloat.has(nodeName(node))) return "kept by the user";
  if (node.subgraphs.length > 0) return "has a body of its own";
  if (FLOAT_ONLY.includes(node.opType)) return "the operator has no half form";
  if (node.outputs.some((out) => out && out.type === undefined)) return "its types are not known";
  for (const value of [...node.inputs, ...node.outputs]) {
    const seen = value && calibrationOf(table, value.name);
    const leaves = value && (beyond?.has(value.name) || (seen && Math.max(-seen.min, seen.max) > LARGEST_HALF));
    if (leaves) return `"${value.name}" leaves the half range`;
  }
  for (const value of node.inputs) {
    const constant = value?.constant;
    if (constant?.dataType === DataType.FLOAT && leavesHalf(await constant.floats())) {
      return `the constant "${value?.name}" leaves the half range`;
    }
  }
  return undefined;
}

function leavesHalf(values: Float32Array): boolean {
  return values.some((x) => Math.abs(x) > LARGEST_HALF);
}

function isFloat(value: Value | null | undefined): value is Value {
  return value?.type?.elemType === DataType.FLOAT;
}

function touchesFloat(node: Node): boolean {
  return [...node.inputs, ...node.outputs].some(isFloat);
}

class HalfConverter {
  /** The half form of a float value, and the float form of a half one. */
  readonly #cast = new Map<Value, Value>();
  readonly #halfConstants = new Map<Value, Value>();

  constructor(
    private readonly graph: Graph,
    private readonly half: ReadonlySet<Node>,
  ) {}

  async convert(io: HalfOptions["io"]): Promise<void> {
    if (io === "float16") for (const input of this.graph.feeds) if (isFloat(input)) this.setHalf(input);
    // In graph order, so that an input's type is settled before it is read.
    for (const node of [...this.graph.nodes]) {
      if (this.half.has(node)) await this.toHalf(node);
      else this.toFloat(node);
    }
    this.settleOutputs(io);
    this.dropUnread();
  }

  private async toHalf(node: Node): Promise<void> {
    const floatInputs = FLOAT_INPUTS[node.opType] ?? [];
    for (const [index, value] of node.inputs.entries()) {
      if (!value) continue;
      if (floatInputs.includes(index)) node.setInput(index, this.asFloat(value, node));
      else if (isFloat(value)) node.setInput(index, await this.asHalf(value, node));
    }
    if (node.int("to") === DataType.FLOAT && node.opType === "Cast") node.set("to", DataType.FLOAT16);
    if (node.int("dtype") === DataType.FLOAT) node.set("dtype", DataType.FLOAT16);
    const value = node.tensor("value");
    if (value?.dataType === DataType.FLOAT) node.set("value", await halfTensor(value));
    if (node.opType === "ConstantOfShape" && !value)
      node.set("value", Tensor.of(DataType.FLOAT16, [1], Uint16Array.of(0)));
    for (const out of node.outputs) if (isFloat(out)) this.setHalf(out);
  }

  private toFloat(node: Node): void {
    for (const [index, value] of node.inputs.entries()) if (value) node.setInput(index, this.asFloat(value, node));
    for (const inner of node.subgraphs) this.bodyToFloat(inner, node);
  }

  /** A body reads outer values as they were. */
  private bodyToFloat(body: Graph, before: Node): void {
    for (const node of body.nodes) {
      for (const [index, value] of node.inputs.entries()) {
        if (value?.graph === this.graph) node.setInput(index, this.asFloat(value, before));
      }
      for (const inner of node.subgraphs) this.bodyToFloat(inner, before);
    }
  }

  private setHalf(value: Value): void {
    value.type = { ...value.type, elemType: DataType.FLOAT16 };
    value.origin = undefined;
  }

  private async asHalf(value: Value, before: Node): Promise<Value> {
    if (!value.initializer) return this.cast(value, DataType.FLOAT16, before);
    let half = this.#halfConstants.get(value);
    if (!half) {
      half = this.graph.addInitializer(`${value.name}_f16`, await halfTensor(value.initializer));
      this.#halfConstants.set(value, half);
    }
    return half;
  }

  private asFloat(value: Value, before: Node): Value {
    return value.type?.elemType === DataType.FLOAT16 && (this.isConverted(value) || value.isGraphInput)
      ? this.cast(value, DataType.FLOAT, before)
      : value;
  }

  private isConverted(value: Value): boolean {
    return value.producer !== undefined && this.half.has(value.producer);
  }

  private cast(value: Value, to: number, before: Node | undefined): Value {
    let cast = this.#cast.get(value);
    if (!cast) {
      const name = this.graph.freshName(`${value.name}_${to === DataType.FLOAT ? "f32" : "f16"}`);
      const node = this.graph.addNode(
        { opType: "Cast", name, inputs: [value], outputs: [name], attributes: { to } },
        before,
      );
      cast = node.output();
      cast.type = { ...value.type, elemType: to };
      this.#cast.set(value, cast);
    }
    return cast;
  }

  /** Outputs keep their names; in float they come from a last Cast. */
  private settleOutputs(io: HalfOptions["io"]): void {
    for (const [index, output] of this.graph.outputs.entries()) {
      const isHalf = output.type?.elemType === DataType.FLOAT16 && this.isConverted(output);
      const wanted = io === "float32" ? DataType.FLOAT : DataType.FLOAT16;
      if (isHalf ? wanted === DataType.FLOAT16 : !isFloat(output) || wanted === DataType.FLOAT) continue;
      const { name } = output;
      const cast = this.cast(output, wanted, undefined);
      this.graph.setOutput(index, cast);
      this.graph.rename(output, this.graph.freshName(`${name}_${isHalf ? "f16" : "f32"}`));
      this.graph.rename(cast, name);
    }
  }

  private dropUnread(): void {
    for (const value of this.#halfConstants.keys()) {
      if (value.uses.length === 0 && !value.isGraphOutput) this.graph.removeValue(value);
    }
  }
}

async function halfTensor(tensor: Tensor): Promise<Tensor> {
  return Tensor.of(DataType.FLOAT16, tensor.dims, Uint16Array.from(await tensor.floats(), floatToHalf));
}
