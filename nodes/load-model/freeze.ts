/**
 * Fixes the dynamic dimensions of a model's inputs. A symbol stands for one size wherever it appears, so fixing it at one
 * input fixes it everywhere; what follows from the sizes, shape inference finds.
 */
import { cloneModel } from "../../onnx/cloneModel.ts";
import { inferShapes } from "../../onnx/infer.ts";
import type { Dim, Graph, Model, Shape, Value } from "../../onnx/ir/graph.ts";
import { UserError } from "../context.ts";
import { shapeText } from "./warnings.ts";

/** Changes the model in place; throws `UserError` for a name, rank or size that does not fit. */
export function freezeInputs(model: Model, shapes: Readonly<Record<string, readonly number[]>>): void {
  const sizes = new Map<string, number>();
  const inputs = new Map<Value, readonly number[]>();
  for (const [name, wanted] of Object.entries(shapes)) {
    const value = inputNamed(model, name);
    fits(value, wanted, sizes);
    inputs.set(value, wanted);
  }
  substitute(model.graph, sizes);
  for (const [value, shape] of inputs) setShape(value, shape);
  takeOutputShapes(model);
}

function inputNamed(model: Model, name: string): Value {
  const { feeds } = model.graph;
  const value = feeds.find((feed) => feed.name === name);
  if (value?.type) return value;
  throw new UserError(
    "unknown-input",
    value ? `the input "${name}" is no tensor` : `the model has no input "${name}"`,
    `inputShapes takes ${feeds.map(shapeText).join(", ")}.`,
  );
}

/** Holds a shape against the input's own and notes which size each symbol gets. */
function fits(value: Value, wanted: readonly number[], sizes: Map<string, number>): void {
  const { shape } = value;
  const refuse = (why: string) =>
    new UserError("input-shape", `${why}: ${shapeText(value)} cannot become [${wanted.join(", ")}]`, SHAPE_FIX);
  if (!shape) return;
  if (shape.length !== wanted.length) throw refuse(`it has ${shape.length} dimensions`);
  for (const [i, dim] of shape.entries()) {
    const size = wanted[i] ?? 0;
    const before = typeof dim === "string" ? (sizes.get(dim) ?? size) : (dim ?? size);
    if (before !== size)
      throw refuse(typeof dim === "string" ? `"${dim}" is ${before} elsewhere` : `dimension ${i} is fixed`);
    if (typeof dim === "string") sizes.set(dim, size);
  }
}

const SHAPE_FIX = "Give each dynamic dimension a size and leave the fixed ones as they are.";

function substitute(graph: Graph, sizes: ReadonlyMap<string, number>): void {
  const fixed = (dim: Dim) => (typeof dim === "string" ? (sizes.get(dim) ?? dim) : dim);
  for (const value of graph.values.values()) {
    if (value.shape?.some((dim) => fixed(dim) !== dim)) setShape(value, value.shape.map(fixed));
  }
  for (const node of graph.nodes) for (const sub of node.subgraphs) substitute(sub, sizes);
}

/** Outputs state what is now known of them; values in between are left to whoever infers shapes. */
function takeOutputShapes(model: Model): void {
  const typed = cloneModel(model);
  inferShapes(typed);
  for (const [i, value] of model.graph.outputs.entries()) {
    const shape = typed.graph.outputs[i]?.shape;
    if (shape?.every((dim) => typeof dim === "number")) setShape(value, shape);
  }
}

function setShape(value: Value, shape: Shape): void {
  if (value.type) value.type = { elemType: value.type.elemType, shape };
}
