/**
 * Takes units out of a model: cuts every constant along the axes they touch, lets each operator mend what it says about
 * sizes, and checks by shape inference that the graph came out as planned.
 */
import { inferShapes } from "../../infer.ts";
import { dataTypeBits } from "../../ir/dataType.ts";
import type { Model, Shape, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { opDef } from "../../ops/index.ts";
import type { AxisRef, Kept } from "../../ops/pruneRule.ts";
import type { Unit } from "./groups.ts";

/** What is left of every axis that loses channels. */
export class Remainder implements Kept {
  readonly #kept = new Map<Value, Map<number, readonly number[]>>();

  constructor(
    readonly opset: number,
    removed: readonly Unit[],
  ) {
    const gone = new Map<Value, Map<number, Set<number>>>();
    for (const { axis, indices } of removed.flat()) {
      const axes = gone.get(axis.value) ?? new Map<number, Set<number>>();
      gone.set(axis.value, axes);
      const set = axes.get(axis.axis) ?? new Set<number>();
      axes.set(axis.axis, set);
      for (const index of indices) set.add(index);
    }
    for (const [value, axes] of gone) {
      const kept = new Map<number, readonly number[]>();
      for (const [axis, set] of axes) {
        const size = Number(value.shape?.[axis]);
        kept.set(
          axis,
          Array.from({ length: size }, (_, i) => i).filter((i) => !set.has(i)),
        );
      }
      this.#kept.set(value, kept);
    }
  }

  get values(): Iterable<Value> {
    return this.#kept.keys();
  }
  axes(value: Value): ReadonlyMap<number, readonly number[]> {
    return this.#kept.get(value) ?? new Map();
  }
  indices({ value, axis }: AxisRef): readonly number[] | undefined {
    return this.#kept.get(value)?.get(axis);
  }
  shape(value: Value): Shape | undefined {
    const axes = this.#kept.get(value);
    return axes ? value.shape?.map((dim, axis) => axes.get(axis)?.length ?? dim) : value.shape;
  }
}

/** The plan and the graph disagree: a coupling rule is wrong, and the model must not be used. */
export class PruneError extends Error {
  override readonly name = "PruneError";
  readonly code = "prune-inconsistent";
  readonly fix = "Report the model's operator at this value; until then leave pruning off for this model.";
}

/** Changes the model in place. */
export async function cutUnits(model: Model, removed: readonly Unit[]): Promise<Remainder> {
  const { graph } = model;
  const rest = new Remainder(model.opset, removed);
  for (const node of graph.nodes) opDef(node.domain, node.opType)?.prune?.resize?.(node, rest);
  const planned = new Map<Value, Shape | undefined>();
  for (const value of rest.values) planned.set(value, rest.shape(value));
  for (const [value, shape] of planned) {
    if (value.initializer) {
      for (const [axis, indices] of rest.axes(value)) value.initializer = await cut(value.initializer, axis, indices);
    }
    if (value.type && shape) value.type = { elemType: value.type.elemType, shape };
  }
  inferShapes(model, { declared: "ignore" });
  for (const [value, shape] of planned) {
    if (value.uses.length > 0 && value.shape?.join() !== shape?.join()) {
      throw new PruneError(
        `"${value.name}" came out as [${value.shape?.join() ?? "?"}] instead of [${shape?.join() ?? "?"}]`,
      );
    }
  }
  return rest;
}

/** Keeps some indices along one axis of a constant of whole-byte elements. */
export async function cut(tensor: Tensor, axis: number, indices: readonly number[]): Promise<Tensor> {
  const elementBytes = (dataTypeBits(tensor.dataType) ?? 0) / 8;
  if (!Number.isInteger(elementBytes) || elementBytes === 0)
    throw new PruneError("a tensor of strings or of elements under a byte cannot be cut");
  const size = tensor.dims[axis] ?? 0;
  const inner = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, elementBytes);
  const outer = tensor.dims.slice(0, axis).reduce((a, b) => a * b, 1);
  const bytes = await tensor.bytes();
  const result = new Uint8Array(outer * indices.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of indices) {
      const from = (o * size + index) * inner;
      result.set(bytes.subarray(from, from + inner), to);
      to += inner;
    }
  }
  const dims = tensor.dims.map((dim, i) => (i === axis ? indices.length : dim));
  return Tensor.of(tensor.dataType, dims, result);
}
