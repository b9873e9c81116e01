/** What QuantizeLinear and DequantizeLinear make of numbers. */
export interface ActivationSteps {
  readonly scale: number;
  readonly zeroPoint: number;
  /** Smallest and largest integer. */
  readonly least: number;
  readonly most: number;
}

/** The numbers after the round trip. */
export function roundActivations(values: Float32Array, steps: ActivationSteps): Float32Array {
  const { scale, zeroPoint, least, most } = steps;
  const rounded = new Float32Array(values.length);
  const inverse = 1 / scale;
  const [low, high] = [least - zeroPoint, most - zeroPoint];
  for (let i = 0; i < values.length; i++) {
    const q = Math.round(values[i] * inverse);
    rounded[i] = (q > high ? high : Math.max(q, low)) * scale;
  }
  return rounded;
}

/** Adds x - q(x) of each channel of a tensor laid out [outer, channels, inner], of every `step`-th value of each. */
export function addShifts(
  data: Float32Array,
  { inner, step }: { readonly inner: number; readonly step: number },
  steps: ActivationSteps,
  into: Float64Array,
): void {
  const { scale, zeroPoint, least, most } = steps;
  const inverse = 1 / scale;
  const [low, high] = [least - zeroPoint, most - zeroPoint];
  for (let from = 0, c = 0; from < data.length; from += inner, c = c + 1 === into.length ? 0 : c + 1) {
    let sum = 0;
    for (let at = from; at < from + inner; at += step) {
      const q = Math.round(data[at] * inverse);
      sum += data[at] - (q > high ? high : Math.max(q, low)) * scale;
    }
    into[c] += sum;
  }
}

/** Adds the sums of columns of `rows` numbers. */
export function addColumnSums(columns: Float32Array, rows: number, into: Float64Array): void {
  for (let c = 0; c < into.length; c++) {
    let sum = 0;
    for (let i = c * rows; i < (c + 1) * rows; i++) sum += columns[i];
    into[c] += sum;
  }
}

export function addNumbers(numbers: Float32Array, into: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] += numbers[i];
}

/** X'X around the mean, from X'X (its lower triangle) and the columns' sums over `rows`: what is left where a bias takes the mean. */
export function centred(gram: Float64Array, sums: Float64Array, rows: number): Float64Array {
  const n = sums.length;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) out[i * n + j] = gram[i * n + j] - (sums[i] * sums[j]) / rows;
  }
  return out;
}
