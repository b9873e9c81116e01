/**
 * Eigenvalues and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal form, then QL steps with
 * implicit shifts (Golub and Van Loan, "Matrix Computations", 8.3). About 10 n^3 operations.
 */
export interface SymmetricEigen {
  /** Descending. */
  readonly values: Float64Array;
  /** n x n, row-major: column k belongs to value k. */
  readonly vectors: Float64Array;
}

/** Undefined where the matrix is not finite, or the steps do not converge. */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen | undefined {
  if (!matrix.every(Number.isFinite)) return undefined;
  const z = matrix.slice();
  const diagonal = new Float64Array(n);
  const off = new Float64Array(n);
  tridiagonalize(z, n, diagonal, off);
  if (!implicitQl(z, n, diagonal, off)) return undefined;
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => diagonal[b] - diagonal[a]);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) vectors[i * n + k] = z[order[k] * n + i];
  return { values: Float64Array.from(order, (i) => diagonal[i]), vectors };
}

/** Leaves in row i of `z` what becomes eigenvector i; the matrix is read and the rows are written in place. */
function tridiagonalize(z: Float64Array, n: number, d: Float64Array, e: Float64Array): void {
  const reflections: { readonly v: Float64Array; readonly beta: number }[] = [];
  for (let k = 0; k < n - 2; k++) {
    const v = new Float64Array(n);
    let norm = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = z[i * n + k];
      norm += v[i] * v[i];
    }
    norm = Math.sqrt(norm);
    if (norm === 0) continue;
    const alpha = v[k + 1] > 0 ? -norm : norm;
    v[k + 1] -= alpha;
    const beta = 2 / v.reduce((sum, x) => sum + x * x, 0);
    reflect(z, n, { v, beta, from: k });
    reflections.push({ v, beta });
  }
  for (let i = 0; i < n; i++) {
    d[i] = z[i * n + i];
    e[i] = i + 1 < n ? z[(i + 1) * n + i] : 0;
  }
  z.fill(0);
  for (let i = 0; i < n; i++) z[i * n + i] = 1;
  // Rows of z are the columns of Q = H1 H2 ...: the last reflection is applied first.
  for (const { v, beta } of reflections.toReversed()) {
    for (let r = 0; r < n; r++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += z[r * n + i] * v[i];
      if (sum !== 0) for (let i = 0; i < n; i++) z[r * n + i] -= beta * sum * v[i];
    }
  }
}

/** A := H A H with H = I - beta v v', over the rows and columns from `from` on. */
function reflect(
  a: Float64Array,
  n: number,
  { v, beta, from }: { readonly v: Float64Array; readonly beta: number; readonly from: number },
): void {
  const p = new Float64Array(n);
  let k = 0;
  for (let i = from; i < n; i++) {
    let sum = 0;
    for (let j = from; j < n; j++) sum += a[i * n + j] * v[j];
    p[i] = beta * sum;
    k += p[i] * v[i];
  }
  for (let i = from; i < n; i++) p[i] -= (beta * k * v[i]) / 2;
  for (let i = from; i < n; i++) for (let j = from; j < n; j++) a[i * n + j] -= v[i] * p[j] + p[i] * v[j];
}

const MAX_STEPS = 60;

/** e[i] is below d[i]. Rotates rows of z alike. */
function implicitQl(z: Float64Array, n: number, d: Float64Array, e: Float64Array): boolean {
  for (let l = 0; l < n; l++) {
    for (let step = 0; ; step++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      if (step === MAX_STEPS) return false;
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      let r = Math.hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i];
        const b = c * e[i];
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        rotate(z, n, { row: i, s, c });
      }
      if (r === 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return true;
}

function rotate(
  z: Float64Array,
  n: number,
  { row, s, c }: { readonly row: number; readonly s: number; readonly c: number },
): void {
  const [a, b] = [row * n, (row + 1) * n];
  for (let k = 0; k < n; k++) {
    const f = z[b + k];
    z[b + k] = s * z[a + k] + c * f;
    z[a + k] = c * z[a + k] - s * f;
  }
}
