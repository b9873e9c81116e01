/**
 * Ridge least squares through the normal equations, in double precision: min |A w - b|^2 + lambda |w - w0|^2 has the
 * solution w = w0 + (A'A + lambda I)^-1 A'(b - A w0). A'A (the Gram matrix) and A'b are sums over samples, so
 * they are accumulated sample by sample in memory that does not grow with the samples.
 */

/** A'A (n x n; read its lower triangle) and A'B (n x m) of the rows seen so far. */
export interface NormalEquations {
  readonly n: number;
  readonly m: number;
  readonly gram: Float64Array;
  readonly cross: Float64Array;
  /** Sum of squares of each target. */
  readonly targetEnergy: Float64Array;
  rows: number;
}

export function newNormalEquations(n: number, m: number): NormalEquations {
  return {
    n,
    m,
    gram: new Float64Array(n * n),
    cross: new Float64Array(n * m),
    targetEnergy: new Float64Array(m),
    rows: 0,
  };
}

/** Rows that are multiplied at a time: a tile of columns of so many doubles stays in the first cache. */
const BLOCK = 256;

/**
 * Adds `rows` samples. `a` is column-major by regressor: a[i * rows + r] is regressor i of row r; `b` likewise by
 * target.
 */
export function accumulate(eq: NormalEquations, a: Float32Array, b: Float32Array, rows: number): void {
  const { n, m, gram, cross, targetEnergy } = eq;
  const x = new Float64Array(n * BLOCK);
  const y = new Float64Array(m * BLOCK);
  for (let from = 0; from < rows; from += BLOCK) {
    loadBlock(a, { rows, from }, x);
    loadBlock(b, { rows, from }, y);
    for (let i = 0; i < n; i += 2) {
      multiplyColumns(x, x, i, { size: n, end: Math.min(n, i + 2), into: gram });
      if (m > 0) multiplyColumns(x, y, i, { size: n, end: m, into: cross });
    }
    for (let t = 0; t < m; t++) targetEnergy[t] += energy(y, t * BLOCK);
  }
  eq.rows += rows;
}

/** Adds what another multiplied: `gram` n x n, `cross` n x m of `rows` samples whose targets are `targets`. */
export function addProducts(
  eq: NormalEquations,
  batch: { readonly gram: Float32Array; readonly cross: Float32Array; readonly targets: Float32Array; rows: number },
): void {
  for (let i = 0; i < eq.gram.length; i++) eq.gram[i] += batch.gram[i];
  for (let i = 0; i < eq.cross.length; i++) eq.cross[i] += batch.cross[i];
  for (let t = 0; t < eq.m; t++) {
    let sum = 0;
    for (let r = t * batch.rows; r < (t + 1) * batch.rows; r++) sum += batch.targets[r] * batch.targets[r];
    eq.targetEnergy[t] += sum;
  }
  eq.rows += batch.rows;
}

/** The columns' next rows, zeros behind the last. */
function loadBlock(columns: Float32Array, at: { rows: number; from: number }, into: Float64Array): void {
  const { rows, from } = at;
  const length = Math.min(BLOCK, rows - from);
  if (length < BLOCK) into.fill(0);
  for (let c = 0, to = 0; to < into.length; c++, to += BLOCK)
    for (let r = 0; r < length; r++) into[to + r] = columns[c * rows + from + r];
}

/** Adds the products of columns i and i + 1 of x with columns 0 to `end` of y, two by two. */
function multiplyColumns(
  x: Float64Array,
  y: Float64Array,
  i: number,
  { size, end, into }: { readonly size: number; readonly end: number; readonly into: Float64Array },
): void {
  const width = into.length / size;
  const p = i * BLOCK;
  const q = i + 1 < size ? p + BLOCK : p;
  for (let j = 0; j < end; j += 2) {
    const u = j * BLOCK;
    const v = j + 1 < end ? u + BLOCK : u;
    let [pu, pv, qu, qv] = [0, 0, 0, 0];
    for (let r = 0; r < BLOCK; r++) {
      const [xp, xq, yu, yv] = [x[p + r], x[q + r], y[u + r], y[v + r]];
      pu += xp * yu;
      pv += xp * yv;
      qu += xq * yu;
      qv += xq * yv;
    }
    into[i * width + j] += pu;
    if (v !== u) into[i * width + j + 1] += pv;
    if (q === p) continue;
    into[(i + 1) * width + j] += qu;
    if (v !== u) into[(i + 1) * width + j + 1] += qv;
  }
}

function energy(y: Float64Array, at: number): number {
  let sum = 0;
  for (let r = 0; r < BLOCK; r++) sum += y[at + r] * y[at + r];
  return sum;
}

/**
 * Cholesky factor L (lower, row-major) of a symmetric positive definite matrix given by its lower triangle: A = L L'.
 * Undefined where the matrix is not positive definite.
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array | undefined {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i += 2) {
    // Two rows at a time: neither sum waits for the other.
    const [a, b] = [i * n, i + 1 < n ? (i + 1) * n : i * n];
    for (let j = 0; j < i; j++) {
      const other = j * n;
      let [x, y] = [matrix[a + j], matrix[b + j]];
      for (let k = 0; k < j; k++) {
        x -= l[a + k] * l[other + k];
        y -= l[b + k] * l[other + k];
      }
      l[a + j] = x / l[other + j];
      l[b + j] = y / l[other + j];
    }
    for (const row of b > a ? [i, i + 1] : [i]) {
      for (let j = i; j <= row; j++) {
        let sum = matrix[row * n + j];
        for (let k = 0; k < j; k++) sum -= l[row * n + k] * l[j * n + k];
        if (row !== j) l[row * n + j] = sum / l[j * n + j];
        else if (sum > 0) l[row * n + j] = Math.sqrt(sum);
        else return undefined;
      }
    }
  }
  return l;
}

/** Solves L L' x = b in place for `m` right sides, `b` n x m row-major. */
export function choleskySolve(l: Float64Array, n: number, b: Float64Array, m: number): void {
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) {
      const factor = l[i * n + k];
      if (factor !== 0) for (let t = 0; t < m; t++) b[i * m + t] -= factor * b[k * m + t];
    }
    const pivot = l[i * n + i];
    for (let t = 0; t < m; t++) b[i * m + t] /= pivot;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) {
      const factor = l[k * n + i];
      if (factor !== 0) for (let t = 0; t < m; t++) b[i * m + t] -= factor * b[k * m + t];
    }
    const pivot = l[i * n + i];
    for (let t = 0; t < m; t++) b[i * m + t] /= pivot;
  }
}

export interface RidgeSolution {
  /** n x m, row-major. */
  readonly weights: Float64Array;
  /** Squared error of all targets under the prior, and under the weights. */
  readonly before: number;
  readonly after: number;
}

/**
 * Ridge solution pulled towards `prior` (n x m). `ridge` is a share of the mean diagonal of A'A; a matrix that stays
 * singular is given ten times more, up to a share of 1, then undefined is returned.
 *
 * With r = A'(b - A w0) and (A'A + lambda I) d = r, the error falls by d'r + lambda |d|^2.
 */
export function ridgeSolve(eq: NormalEquations, prior: Float64Array, ridge: number): RidgeSolution | undefined {
  const { n, m, gram, cross } = eq;
  const residual = Float64Array.from(cross);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const g = j <= i ? gram[i * n + j] : gram[j * n + i];
      if (g !== 0) for (let t = 0; t < m; t++) residual[i * m + t] -= g * prior[j * m + t];
    }
  }
  // |b - A w0|^2 = |b|^2 - w0'(A'b + r)
  let before = 0;
  for (let t = 0; t < m; t++) before += eq.targetEnergy[t];
  for (let i = 0; i < prior.length; i++) before -= prior[i] * (cross[i] + residual[i]);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i];
  const unit = trace / n;
  if (!(unit > 0) || !Number.isFinite(unit)) return undefined;
  for (let share = ridge; share <= 1; share *= 10) {
    const loaded = Float64Array.from(gram);
    for (let i = 0; i < n; i++) loaded[i * n + i] += share * unit;
    const l = cholesky(loaded, n);
    if (!l) continue;
    const weights = Float64Array.from(residual);
    choleskySolve(l, n, weights, m);
    let after = before;
    for (let i = 0; i < weights.length; i++) {
      after -= weights[i] * (residual[i] + share * unit * weights[i]);
      weights[i] += prior[i];
    }
    return { weights, before, after };
  }
  return undefined;
}
