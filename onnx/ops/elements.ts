/**
 * Evaluation of small tensors that shapes are computed from. Element values follow the operator's definition exactly or
 * become null; an integer division truncates, a boolean is 0 or 1.
 */
import { DataType } from "../ir/dataType.ts";
import type { Dim, Shape } from "../ir/graph.ts";
import { broadcast, fixedDims, isKnown, numericProduct } from "./dims.ts";
import { type Elements, elemTypeOf, type ShapeContext, shapeOf } from "./op.ts";

/** Larger tensors are data, not shapes. */
export const MAX_ELEMENTS = 1024;

/** Operands of a variadic operator that are evaluated at full size. */
const MAX_OPERANDS = 8;

export type ElementFunction = (...args: readonly Dim[]) => Dim;

/** Row-major strides of a shape, 0 along dimensions of size 1 when `broadcasting`. */
export function stridesOf(dims: readonly number[], broadcasting = false): number[] {
  const strides: number[] = [];
  let step = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    const size = dims[i] ?? 1;
    strides[i] = broadcasting && size === 1 ? 0 : step;
    step *= size;
  }
  return strides;
}

/** Elements at the positions a strided walk over `dims` visits, from `offset`. */
export function walk(elements: Elements, dims: readonly number[], strides: readonly number[], offset = 0): Dim[] {
  const count = numericProduct(dims);
  const out: Dim[] = [];
  for (let i = 0; i < count; i++) {
    let rest = i;
    let at = offset;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const size = dims[axis] ?? 1;
      at += (rest % size) * (strides[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    out.push(elements[at] ?? null);
  }
  return out;
}

/** Applies `f` element by element over the broadcast inputs; undefined where one is not known or the result is large. */
export function evaluate(ctx: ShapeContext, inputs: readonly number[], f: ElementFunction): Elements | undefined {
  const elements = inputs.map((i) => ctx.input(i).elements);
  const shapes = inputs.map((i) => fixedDims(shapeOf(ctx, i)));
  const out = fixedDims(broadcast(shapes));
  if (!out || numericProduct(out) * inputs.length > MAX_ELEMENTS * MAX_OPERANDS || elements.some((e) => !e))
    return undefined;
  const columns = elements.map((e, i) => expandElements(e ?? [], shapes[i] ?? [], out));
  const single = inputs.some((i) => elemTypeOf(ctx, i) === DataType.FLOAT);
  return Array.from({ length: numericProduct(out) }, (_, i) => {
    const value = f(...columns.map((column) => column[i] ?? null));
    return single && isKnown(value) ? Math.fround(value) : value;
  });
}

/** Elements of a tensor of shape `from`, broadcast to `to`. */
export function expandElements(elements: Elements, from: readonly number[], to: readonly number[]): Elements {
  const strides = stridesOf(from, true);
  return walk(elements, to, [...new Array<number>(to.length - from.length).fill(0), ...strides]);
}

/** Lifts a function of numbers: null where one of them is a symbol or unknown, or the result is not finite. */
export function numeric(f: (...args: readonly number[]) => number): ElementFunction {
  return (...args) => {
    if (!args.every(isKnown)) return null;
    const value = f(...args);
    return Number.isFinite(value) ? value : null;
  };
}

/** Elements, kept only where the shape is fixed and small enough and agrees with their number. */
export function smallElements(elements: Elements | undefined, shape: Shape | undefined): Elements | undefined {
  const dims = fixedDims(shape);
  return elements && dims && elements.length <= MAX_ELEMENTS && numericProduct(dims) === elements.length
    ? elements
    : undefined;
}
