/**
 * FP16 and BF16: weights and activations in 16-bit floats, with Casts where float must go on. Inputs and outputs of the
 * model stay in float unless asked otherwise, so that nothing around the model changes.
 *
 * A node stays in float where its operator has no such form, where a constant of it leaves the range (65504; BF16 has
 * nearly float's), where an activation was seen to leave it (by calibration, or on frames), where the types are not known,
 * or where the user says so. A NaN among the constants, or an infinity among a layer's weights, is refused.
 */

import { inferShapes } from "../../infer.ts";
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Model, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { allFinite } from "../../kernels/allFinite.ts";
import { largestMagnitude } from "../../kernels/largestMagnitude.ts";
import { type CalibrationTable, calibrationOf } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { weightNotFinite } from "./finiteFloats.ts";
import { type LeftInFloat, nodeName, quantizeRuleOf } from "./layers.ts";
import { QuantizeError } from "./quantizeError.ts";
import type { ShortFloat } from "./shortFloat.ts";

export interface HalfOptions {
  readonly to: ShortFloat;
  /** Type of the model's inputs and outputs. */
  readonly io: "float32" | "float16";
  readonly keepFloat: ReadonlySet<string>;
  /** Where given, layers whose activations leave the range stay in float. */
  readonly table?: CalibrationTable | undefined;
  /** Values that were seen to leave the range. */
  readonly beyond?: ReadonlySet<string> | undefined;
}

/** Inputs that stay in float in a half node: factors of positions, not data. */
const FLOAT_INPUTS: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2], Upsample: [1] };

export async function convertToHalf(
  model: Model,
  options: HalfOptions,
): Promise<{ left: LeftInFloat[]; upgraded: Readonly<Record<string, number>> }> {
  const { graph } = model;
  const quantized = graph.nodes.some((node) => node.opType === "DequantizeLinear");
  const since = quantized ? options.to.quantizersFrom : options.to.from;
  // What a newer set asks for depends on ranks.
  if (model.opset < since) inferShapes(model);
  const upgraded = upgradeOpset(model, since);
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
      "no node is left that could take 16-bit floats: the model has no 32-bit floats, or all of it is kept in float",
      "Start from the FP32 model, or take names out of keepFloat.",
    );
  }
  const converter = new HalfConverter(graph, half, options.to);
  await converter.convert(options.io);
  return { left, upgraded };
}

async function reasonForFloat(node: Node, { to, keepFloat, table, beyond }: HalfOptions): Promise<string | undefined> {
  if (keepFloat.has(nodeName(node))) return "kept by the user";
  if (node.subgraphs.length > 0) return "has a body of its own";
  if (to.lacks(node)) return `the operator has no ${to.name} form`;
  if (node.outputs.some((out) => out && out.type === undefined)) return "its types are not known";
  for (const value of [...node.inputs, ...node.outputs]) {
    const seen = value && calibrationOf(table, value.name);
    const leaves = value && (beyond?.has(value.name) || (seen && Math.max(-seen.min, seen.max) > to.largest));
    if (leaves) return `"${value.name}" leaves the ${to.name} range`;
  }
  const rule = quantizeRuleOf(node);
  const weight = rule?.kind === "compute" ? node.inputs[rule.weight] : undefined;
  for (const value of node.inputs) {
    const constant = value?.constant;
    if (constant?.dataType !== DataType.FLOAT) continue;
    const values = await constant.floats();
    if (largestMagnitude(values) <= to.largest) continue;
    // A mask of minus infinities is meant so; a weight of infinity is not.
    if (value === weight ? !allFinite(values) : values.some(Number.isNaN)) throw weightNotFinite(nodeName(node));
    return `the constant "${value?.name}" leaves the ${to.name} range`;
  }
  return undefined;
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
    private readonly to: ShortFloat,
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
    if (node.int("to") === DataType.FLOAT && node.opType === "Cast") node.set("to", this.to.dataType);
    if (node.int("dtype") === DataType.FLOAT) node.set("dtype", this.to.dataType);
    const value = node.tensor("value");
    if (value?.dataType === DataType.FLOAT) node.set("value", await rounded(value, this.to));
    if (node.opType === "ConstantOfShape" && !value)
      node.set("value", Tensor.of(this.to.dataType, [1], Uint16Array.of(0)));
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
    value.type = { ...value.type, elemType: this.to.dataType };
    value.origin = undefined;
  }

  private async asHalf(value: Value, before: Node): Promise<Value> {
    if (!value.initializer) return this.cast(value, this.to.dataType, before);
    let half = this.#halfConstants.get(value);
    if (!half) {
      half = this.graph.addInitializer(`${value.name}_${this.to.suffix}`, await rounded(value.initializer, this.to));
      this.#halfConstants.set(value, half);
    }
    return half;
  }

  private asFloat(value: Value, before: Node): Value {
    return value.type?.elemType === this.to.dataType && (this.isConverted(value) || value.isGraphInput)
      ? this.cast(value, DataType.FLOAT, before)
      : value;
  }

  private isConverted(value: Value): boolean {
    return value.producer !== undefined && this.half.has(value.producer);
  }

  private cast(value: Value, to: number, before: Node | undefined): Value {
    let cast = this.#cast.get(value);
    if (!cast) {
      const name = this.graph.freshName(`${value.name}_${to === DataType.FLOAT ? "f32" : this.to.suffix}`);
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
      const isHalf = output.type?.elemType === this.to.dataType && this.isConverted(output);
      const wanted = io === "float32" ? DataType.FLOAT : this.to.dataType;
      if (isHalf ? wanted === this.to.dataType : !isFloat(output) || wanted === DataType.FLOAT) continue;
      const { name } = output;
      const cast = this.cast(output, wanted, undefined);
      this.graph.setOutput(index, cast);
      this.graph.rename(output, this.graph.freshName(`${name}_${isHalf ? this.to.suffix : "f32"}`));
      this.graph.rename(cast, name);
    }
  }

  private dropUnread(): void {
    for (const value of this.#halfConstants.keys()) {
      if (value.uses.length === 0 && !value.isGraphOutput) this.graph.removeValue(value);
    }
  }
}

async function rounded(tensor: Tensor, { dataType, round }: ShortFloat): Promise<Tensor> {
  return Tensor.of(dataType, tensor.dims, Uint16Array.from(await tensor.floats(), round));
}
