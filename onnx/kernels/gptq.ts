/**
 * Rounds a weight matrix to a grid so that its products change least, not its numbers: with H = X'X over what the matrix
 * multiplies, the error of a row is e'He for e = w - q * scale.
 *
 * GPTQ (Frantar et al. 2022, "GPTQ: accurate post-training quantization"): columns are rounded one by one, those with
 * the most energy first, and the ones still free make good for each. With H = LL' the error is the sum over j of
 * (sum over i >= j of L_ij e_i)^2, so that from the last column to the first the best value of column j is its weight
 * plus (sum over i > j of L_ij e_i) / L_jj: the same rounding without an inverse of H.
 * Coordinate descent then moves single integers while that lowers the error (Behdin et al. 2023, "QuantEase").
 */
import { cholesky } from "./leastSquares.ts";

/** Where the integers of a matrix [rows, columns] lie: w = q * scale, q from `least` to `most`. */
export interface RoundingGrid {
  /** Columns under one scale; the last block of a row may be shorter. */
  readonly block: number;
  /** [rows, blocks of a row]. */
  readonly scales: Float32Array;
  readonly least: number;
  readonly most: number;
}

/** Share of the mean diagonal of H that is added to it: GPTQ's own. */
const DAMPING = 0.01;
const SWEEPS = 4;

/**
 * Integers [rows, columns] of `weights` [rows, columns]. `hessian` is columns x columns, read in its lower triangle
 * (as `NormalEquations.gram` holds it). Where it says nothing (all zero, or not finite), each weight takes the nearest.
 */
export function roundByHessian(
  weights: Float32Array,
  hessian: Float64Array,
  grid: RoundingGrid,
  damping = DAMPING,
): Int8Array {
  const n = Math.sqrt(hessian.length);
  const rows = weights.length / n;
  const order = leastEnergyFirst(hessian, n);
  const damped = permuted(hessian, order, damping);
  const l = damped && cholesky(damped, n);
  const all = inOrder(weights, grid, order);
  if (l && damped) {
    const gradients = timesLower(roundBackwards(l, all, grid), l, n);
    for (let r = 0; r < rows; r++) descend(damped, rowOf(all, r), grid, gradients.subarray(r * n, (r + 1) * n));
  } else for (let i = 0; i < all.w.length; i++) all.q[i] = nearest(all.w[i] / all.scale[i], grid);
  const integers = new Int8Array(weights.length);
  for (let r = 0; r < rows; r++) for (let j = 0; j < n; j++) integers[r * n + order[j]] = all.q[r * n + j];
  return integers;
}

/** Rows on their way, [rows, columns] in the order of the rounding: weights, their integers, and the scale of each. */
interface Rows {
  readonly w: Float64Array;
  readonly q: Float64Array;
  readonly scale: Float64Array;
  readonly columns: number;
}

function inOrder(weights: Float32Array, grid: RoundingGrid, order: Int32Array): Rows {
  const columns = order.length;
  const [w, scale] = [new Float64Array(weights.length), new Float64Array(weights.length)];
  for (let r = 0; r < weights.length / columns; r++) {
    for (let j = 0; j < columns; j++) {
      w[r * columns + j] = weights[r * columns + order[j]];
      scale[r * columns + j] = scaleAt(grid, r, order[j], columns);
    }
  }
  return { w, q: new Float64Array(weights.length), scale, columns };
}

function rowOf({ q, scale, columns }: Rows, row: number): Pick<Rows, "q" | "scale"> {
  const [from, to] = [row * columns, (row + 1) * columns];
  return { q: q.subarray(from, to), scale: scale.subarray(from, to) };
}

/** Per row e'He of the integers. */
export function hessianErrors(
  weights: Float32Array,
  integers: Int8Array,
  hessian: Float64Array,
  grid: RoundingGrid,
): Float64Array {
  const n = Math.sqrt(hessian.length);
  const errors = new Float64Array(weights.length / n);
  const e = new Float64Array(n);
  for (let r = 0; r < errors.length; r++) {
    for (let j = 0; j < n; j++) e[j] = weights[r * n + j] - integers[r * n + j] * scaleAt(grid, r, j, n);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < i; j++) sum += hessian[i * n + j] * e[j];
      errors[r] += e[i] * (2 * sum + hessian[i * n + i] * e[i]);
    }
  }
  return errors;
}

function scaleAt({ scales, block }: RoundingGrid, row: number, column: number, columns: number): number {
  return scales[row * Math.ceil(columns / block) + Math.floor(column / block)];
}

function nearest(x: number, { least, most }: RoundingGrid): number {
  return Math.min(most, Math.max(least, Math.round(x)));
}

/** Rounding goes from the last to the first. */
function leastEnergyFirst(hessian: Float64Array, n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => hessian[a * n + a] - hessian[b * n + b]);
}

/** H in this order, both triangles, with the damping; undefined where it has no energy. */
function permuted(hessian: Float64Array, order: Int32Array, share: number): Float64Array | undefined {
  const n = order.length;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += hessian[i * n + i];
  const damping = (share * trace) / n;
  if (!(damping > 0) || !Number.isFinite(damping)) return undefined;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const [a, b] = order[i] > order[j] ? [order[i], order[j]] : [order[j], order[i]];
      out[i * n + j] = out[j * n + i] = hessian[a * n + b];
    }
    out[i * n + i] += damping;
  }
  return out;
}

/** Columns that are rounded before what they leave over is handed on to the rest, four of them and two rows at a time. */
const PANEL = 16;

/** Leaves the integers in `q`; gives L'e of the errors e, by rows. */
function roundBackwards(l: Float64Array, all: Rows, grid: RoundingGrid): Float64Array {
  const n = all.columns;
  const seen = new Float64Array(all.w.length);
  const errors = new Float64Array((seen.length / n) * PANEL);
  for (let end = n; end > 0; end -= PANEL) {
    const panel = { from: Math.max(0, end - PANEL), end, errors };
    roundPanel(l, all, { ...panel, grid, seen });
    if (panel.from > 0) handOn(l, seen, n, panel);
  }
  return seen;
}

interface Panel {
  readonly from: number;
  readonly end: number;
  /** [rows, PANEL]. */
  readonly errors: Float64Array;
}

function roundPanel(
  l: Float64Array,
  { w, q, scale, columns: n }: Rows,
  { from, end, errors, grid, seen }: Panel & { readonly grid: RoundingGrid; readonly seen: Float64Array },
): void {
  for (let row = 0, e = 0; row < w.length; row += n, e += PANEL) {
    for (let j = end - 1; j >= from; j--) {
      const at = row + j;
      const pivot = l[j * n + j];
      q[at] = nearest((w[at] + seen[at] / pivot) / scale[at], grid);
      const error = w[at] - q[at] * scale[at];
      errors[e + j - from] = error;
      seen[at] += pivot * error;
      for (let i = from; i < j; i++) seen[row + i] += l[j * n + i] * error;
    }
  }
}

function handOn(l: Float64Array, seen: Float64Array, n: number, { from, errors }: Panel): void {
  const rows = seen.length / n;
  for (let r = 0; r < rows; r += 2) {
    const a = r * n;
    // The last row of an odd number goes alone: its twin adds nothing.
    const twin = r + 1 < rows;
    const b = twin ? a + n : a;
    for (let j = 0; j < PANEL; j += 4) {
      const [e, f] = [r * PANEL + j, (r + 1) * PANEL + j];
      const [a0, a1, a2, a3] = [errors[e], errors[e + 1], errors[e + 2], errors[e + 3]];
      const [b0, b1, b2, b3] = twin ? [errors[f], errors[f + 1], errors[f + 2], errors[f + 3]] : [0, 0, 0, 0];
      const l0 = (from + j) * n;
      const [l1, l2, l3] = [l0 + n, l0 + 2 * n, l0 + 3 * n];
      for (let i = 0; i < from; i++) {
        const [x0, x1, x2, x3] = [l[l0 + i], l[l1 + i], l[l2 + i], l[l3 + i]];
        seen[a + i] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3;
        seen[b + i] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3;
      }
    }
  }
}

/** Rows L'e to rows He = L(L'e), two by two. */
function timesLower(rows: Float64Array, l: Float64Array, n: number): Float64Array {
  const out = new Float64Array(rows.length);
  const count = rows.length / n;
  for (let r = 0; r < count; r += 2) {
    const a = r * n;
    const b = r + 1 < count ? a + n : a;
    for (let j = 0; j < n; j += 2) {
      const u = j * n;
      const v = j + 1 < n ? u + n : u;
      let [au, av, bu, bv] = [0, 0, 0, 0];
      for (let i = 0; i <= j; i++) {
        const [x, y, s, t] = [rows[a + i], rows[b + i], l[u + i], l[v + i]];
        au += x * s;
        av += x * t;
        bu += y * s;
        bv += y * t;
      }
      out[a + j] = au;
      out[b + j] = bu;
      if (v === u) continue;
      out[a + j + 1] = av + rows[a + j + 1] * l[v + j + 1];
      out[b + j + 1] = bv + rows[b + j + 1] * l[v + j + 1];
    }
  }
  return out;
}

function descend(
  h: Float64Array,
  { q, scale }: Pick<Rows, "q" | "scale">,
  grid: RoundingGrid,
  gradient: Float64Array,
): void {
  const n = q.length;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let moved = false;
    for (let j = 0; j < n; j++) {
      const better = nearest(q[j] + gradient[j] / (h[j * n + j] * scale[j]), grid);
      if (better === q[j]) continue;
      addRow(h, j, (q[j] - better) * scale[j], gradient);
      q[j] = better;
      moved = true;
    }
    if (!moved) return;
  }
}

function addRow(h: Float64Array, row: number, factor: number, into: Float64Array): void {
  const from = row * into.length;
  for (let i = 0; i < into.length; i++) into[i] += h[from + i] * factor;
}
