/**
 * The best product of two thin matrices for a layer's weight W (n inputs x m outputs), judged at its output: with the
 * second moments C of the input, E|W'x - V'x|^2 = tr((W - V)' C (W - V)) is least over all V of rank r where V projects
 * C^1/2 W onto its r leading singular vectors (reduced-rank regression; Izenman 1975). The smaller side is decomposed.
 */
import { cholesky } from "./leastSquares.ts";
import { symmetricEigen } from "./symmetricEigen.ts";

export interface Factors {
  /** Energy of the output that each further rank adds; descending. */
  readonly energies: Float64Array;
  /** n x r and r x m, row-major. */
  parts(rank: number): { readonly first: Float64Array; readonly second: Float64Array };
}

/** Undefined where the moments are not those of real inputs. */
export function factorize(weights: Float64Array, moments: Float64Array, n: number): Factors | undefined {
  const m = weights.length / n;
  return m <= n ? byOutputs(weights, moments, { n, m }) : byInputs(weights, moments, { n, m });
}

interface Sides {
  readonly n: number;
  readonly m: number;
}

/** W' C W = U diag U': W U_r and U_r'. */
function byOutputs(weights: Float64Array, moments: Float64Array, { n, m }: Sides): Factors | undefined {
  const energy = multiply(transpose(weights, n, m), multiply(moments, weights, n), n);
  const eigen = symmetricEigen(energy, m);
  if (!eigen) return undefined;
  return {
    energies: eigen.values,
    parts(rank) {
      const leading = leftColumns(eigen.vectors, m, rank);
      return { first: multiply(weights, leading, m), second: transpose(leading, m, rank) };
    },
  };
}

/** A channel that never varies keeps a trace of power, so that C has a root. */
const LOADING = 1e-6;

/** C = L L' and L'W W'L = V diag V': L'^-1 V_r and V_r'L'W. */
function byInputs(weights: Float64Array, moments: Float64Array, { n, m }: Sides): Factors | undefined {
  const loaded = moments.slice();
  let trace = 0;
  for (let i = 0; i < n; i++) trace += moments[i * n + i];
  for (let i = 0; i < n; i++) loaded[i * n + i] += (LOADING * trace) / n;
  const l = cholesky(loaded, n);
  if (!l) return undefined;
  const k = multiply(transpose(l, n, n), weights, n);
  const eigen = symmetricEigen(multiply(k, transpose(k, n, m), m), n);
  if (!eigen) return undefined;
  return {
    energies: eigen.values,
    parts(rank) {
      const leading = leftColumns(eigen.vectors, n, rank);
      const second = multiply(transpose(leading, n, rank), k, n);
      return { first: solveTransposed(l, n, leading), second };
    },
  };
}

/** A (rows x inner) times B (inner x columns), row-major. */
export function multiply(a: Float64Array, b: Float64Array, inner: number): Float64Array {
  const [rows, columns] = [a.length / inner, b.length / inner];
  const c = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = a[i * inner + k];
      if (factor !== 0) for (let j = 0; j < columns; j++) c[i * columns + j] += factor * b[k * columns + j];
    }
  }
  return c;
}

function transpose(a: Float64Array, rows: number, columns: number): Float64Array {
  const t = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) t[j * rows + i] = a[i * columns + j];
  return t;
}

function leftColumns(a: Float64Array, rows: number, count: number): Float64Array {
  const columns = a.length / rows;
  const left = new Float64Array(rows * count);
  for (let i = 0; i < rows; i++) for (let j = 0; j < count; j++) left[i * count + j] = a[i * columns + j];
  return left;
}

/** X with L' X = B, for a lower triangular L. */
function solveTransposed(l: Float64Array, n: number, b: Float64Array): Float64Array {
  const x = b.slice();
  const columns = b.length / n;
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) {
      const factor = l[k * n + i];
      for (let j = 0; j < columns; j++) x[i * columns + j] -= factor * x[k * columns + j];
    }
    for (let j = 0; j < columns; j++) x[i * columns + j] /= l[i * n + i];
  }
  return x;
}
