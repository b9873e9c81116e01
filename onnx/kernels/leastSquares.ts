/**
 * Ridge least squares through the normal equations, in double precision: min |A w - b|^2 + lambda |w - w0|^2 has the
 * solution w = w0 + (A'A + lambda I)^-1 A'(b - A w0). A'A (the Gram matrix) and A'b are sums over samples, so
 * they are accumulated sample by sample in memory that does not grow with the samples.
 */

/** A'A (lower triangle, n x n) and A'B (n x m) of the rows seen so far. */
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

/**
 * Adds `rows` samples. `a` is column-major by regressor: a[i * rows + r] is regressor i of row r; `b` likewise by
 * target. Rows are taken in blocks that stay in cache.
 */
export function accumulate(eq: NormalEquations, a: Float32Array, b: Float32Array, rows: number): void {
  const { n, m, gram, cross, targetEnergy } = eq;
  const BLOCK = 256;
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    const r1 = Math.min(rows, r0 + BLOCK);
    for (let i = 0; i < n; i++) {
      const ai = i * rows;
      for (let j = 0; j <= i; j++) gram[i * n + j] += dot(a, ai + r0, a, j * rows + r0, r1 - r0);
      for (let t = 0; t < m; t++) cross[i * m + t] += dot(a, ai + r0, b, t * rows + r0, r1 - r0);
    }
    for (let t = 0; t < m; t++) targetEnergy[t] += dot(b, t * rows + r0, b, t * rows + r0, r1 - r0);
  }
  eq.rows += rows;
}

// biome-ignore lint/complexity/useMaxParams: two vectors by offset and their length, in the innermost loop
function dot(x: Float32Array, xAt: number, y: Float32Array, yAt: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < length; i += 4) {
    s0 += x[xAt + i] * y[yAt + i];
    s1 += x[xAt + i + 1] * y[yAt + i + 1];
    s2 += x[xAt + i + 2] * y[yAt + i + 2];
    s3 += x[xAt + i + 3] * y[yAt + i + 3];
  }
  for (; i < length; i++) s0 += x[xAt + i] * y[yAt + i];
  return s0 + s1 + s2 + s3;
}

/**
 * Cholesky factor L (lower, row-major) of a symmetric positive definite matrix given by its lower triangle: A = L L'.
 * Undefined where the matrix is not positive definite.
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array | undefined {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j <= i; j++) {
      const other = j * n;
      let sum = matrix[row + j];
      for (let k = 0; k < j; k++) sum -= l[row + k] * l[other + k];
      if (i === j) {
        if (!(sum > 0)) return undefined;
        l[row + i] = Math.sqrt(sum);
      } else l[row + j] = sum / l[other + j];
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

/**
 * Ridge solution, n x m row-major, pulled towards `prior` (n x m). `ridge` is a share of the mean diagonal of A'A; a
 * matrix that stays singular is given ten times more, up to a share of 1, then undefined is returned.
 */
export function ridgeSolve(eq: NormalEquations, prior: Float64Array, ridge: number): Float64Array | undefined {
  const { n, m, gram, cross } = eq;
  const residual = Float64Array.from(cross);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const g = j <= i ? gram[i * n + j] : gram[j * n + i];
      if (g !== 0) for (let t = 0; t < m; t++) residual[i * m + t] -= g * prior[j * m + t];
    }
  }
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i];
  const unit = trace / n;
  if (!(unit > 0) || !Number.isFinite(unit)) return undefined;
  for (let share = ridge; share <= 1; share *= 10) {
    const loaded = Float64Array.from(gram);
    for (let i = 0; i < n; i++) loaded[i * n + i] += share * unit;
    const l = cholesky(loaded, n);
    if (!l) continue;
    choleskySolve(l, n, residual, m);
    for (let i = 0; i < residual.length; i++) residual[i] += prior[i];
    return residual;
  }
  return undefined;
}

/** Squared error of each target under the weights `w` (n x m): w'Gw - 2 w'c + |b|^2. */
export function squaredErrors(eq: NormalEquations, w: Float64Array): Float64Array {
  const { n, m, gram, cross, targetEnergy } = eq;
  const errors = Float64Array.from(targetEnergy);
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < m; t++) {
      const wi = w[i * m + t];
      let g = -2 * cross[i * m + t] + gram[i * n + i] * wi;
      for (let j = 0; j < i; j++) g += 2 * gram[i * n + j] * w[j * m + t];
      errors[t] += wi * g;
    }
  }
  return errors;
}
