/** Arithmetic on dimensions that may be symbols or unknown. What cannot be said exactly is null. */
import type { Dim, Shape } from "../ir/graph.ts";
import { ShapeError } from "./op.ts";

export function isKnown(dim: Dim | undefined): dim is number {
  return typeof dim === "number";
}

/** The shape as numbers; undefined where one is not. */
export function fixedDims(shape: Shape | undefined): readonly number[] | undefined {
  return shape?.every(isKnown) ? shape : undefined;
}

/** `rank` unknown dimensions. */
export function unknownDims(rank: number): Dim[] {
  return new Array<Dim>(rank).fill(null);
}

export function add(a: Dim, b: Dim): Dim {
  if (isKnown(a) && isKnown(b)) return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  return null;
}

export function multiply(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0;
  if (isKnown(a) && isKnown(b)) return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  return null;
}

/** Applies a function of numbers; null where the dimension is not one. */
export function mapDim(dim: Dim, f: (size: number) => number): Dim {
  return isKnown(dim) ? f(dim) : null;
}

export function product(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(multiply, 1);
}

export function numericProduct(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

/**
 * Quotient of two products, `numerator / denominator`, with equal symbols cancelled: what -1 in a Reshape stands for.
 * Null where it is not a number or one symbol.
 */
export function quotient(numerator: readonly Dim[], denominator: readonly Dim[]): Dim {
  const left = [...numerator];
  let divisor = 1;
  for (const dim of denominator) {
    if (isKnown(dim)) divisor *= dim;
    else {
      const at = dim === null ? -1 : left.indexOf(dim);
      if (at < 0) return null;
      left.splice(at, 1);
    }
  }
  const symbols = left.filter((dim) => !isKnown(dim));
  const number = numericProduct(left.filter(isKnown));
  if (divisor === 0) return null;
  if (symbols.length === 0) return number % divisor === 0 ? number / divisor : null;
  return symbols.length === 1 && number === divisor ? (symbols[0] ?? null) : null;
}

/** A non-negative axis; throws where it lies outside of `rank`. */
export function axisIn(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank) throw new ShapeError(`axis ${axis} is outside of rank ${rank}`);
  return positive;
}

/** Two statements about one dimension: the number wins over the symbol, the symbol over nothing. */
export function unify(a: Dim, b: Dim, what: string): Dim {
  if (isKnown(a) && isKnown(b) && a !== b) throw new ShapeError(`${what}: ${a} and ${b} differ`);
  if (isKnown(a)) return a;
  if (isKnown(b)) return b;
  return a ?? b;
}

/** The dimension where both agree, else null: what holds after either of two branches. */
export function common(a: Dim, b: Dim): Dim {
  return a === b ? a : null;
}

function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (isKnown(a) && isKnown(b)) throw new ShapeError(`${a} and ${b} do not broadcast`);
  // One side is fixed and not 1: the other must be it or 1.
  if (isKnown(a)) return a;
  if (isKnown(b)) return b;
  // Of two different symbols either may be 1. An unknown size beside a symbol is taken to be it or 1: exporters name
  // what varies.
  return a === null ? b : b === null ? a : null;
}

/** Multidirectional broadcasting (ONNX, Broadcasting.md); undefined where a rank is unknown. */
export function broadcast(shapes: readonly (Shape | undefined)[]): Shape | undefined {
  let result: Dim[] = [];
  for (const shape of shapes) {
    if (!shape) return undefined;
    const rank = Math.max(result.length, shape.length);
    const merged: Dim[] = [];
    for (let i = 0; i < rank; i++) {
      const a = result[i - (rank - result.length)];
      const b = shape[i - (rank - shape.length)];
      merged.push(a === undefined ? (b ?? null) : b === undefined ? a : broadcastDim(a, b));
    }
    result = merged;
  }
  return result;
}

/** Like `dims`, with one replaced. */
export function withDim(dims: Shape, axis: number, dim: Dim): Dim[] {
  const copy = [...dims];
  copy[axis] = dim;
  return copy;
}
