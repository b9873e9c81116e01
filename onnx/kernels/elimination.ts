/**
 * What a linear layer loses when channels of its input leave and the rest make good for them as well as they can: the
 * least-squares form of optimal brain surgery (Hassibi and Stork 1993). With the second moments C of the input, H = C +
 * lambda I and P = H^-1, the weights W (inputs x outputs) lose |w_c|^2 / P_cc without channel c, and the best weights
 * then are W - P_:c w_c / P_cc.
 */
import { cholesky, choleskySolve } from "./leastSquares.ts";

export interface LinearReader {
  readonly inputs: number;
  readonly outputs: number;
  /** inputs x outputs, row-major; rows of channels that left are zero. */
  readonly weights: Float64Array;
  /** P, inputs x inputs; undefined where the rest shall not make good. */
  readonly inverse: Float64Array | undefined;
  /** Second moment of each channel. */
  readonly power: Float64Array;
  /** Of the output with all channels. */
  readonly energy: number;
}

/** `moments` is inputs x inputs; `ridge` a share of its mean diagonal; undefined leaves the rest as it is. */
export function newLinearReader(weights: Float64Array, moments: Float64Array, ridge: number | undefined): LinearReader {
  const inputs = Math.sqrt(moments.length);
  const outputs = weights.length / inputs;
  const power = Float64Array.from({ length: inputs }, (_, i) => moments[i * inputs + i]);
  return {
    inputs,
    outputs,
    weights,
    power,
    inverse: ridge === undefined ? undefined : ridgeInverse(moments, inputs, ridge),
    energy: outputEnergy(weights, moments, inputs),
  };
}

/** The same reader to take channels from anew. */
export function copyReader(reader: LinearReader): LinearReader {
  return { ...reader, weights: reader.weights.slice(), inverse: reader.inverse?.slice() };
}

function ridgeInverse(moments: Float64Array, n: number, ridge: number): Float64Array | undefined {
  let trace = 0;
  for (let i = 0; i < n; i++) trace += moments[i * n + i];
  const loaded = moments.slice();
  for (let i = 0; i < n; i++) loaded[i * n + i] += (ridge * trace) / n;
  const l = trace > 0 ? cholesky(loaded, n) : undefined;
  if (!l) return undefined;
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) inverse[i * n + i] = 1;
  choleskySolve(l, n, inverse, n);
  return inverse;
}

function outputEnergy(weights: Float64Array, moments: Float64Array, n: number): number {
  const m = weights.length / n;
  let energy = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) energy += (i === j ? 1 : 2) * moments[i * n + j] * rowDot(weights, m, i, j);
  return energy;
}

function rowDot(weights: Float64Array, m: number, i: number, j: number): number {
  let sum = 0;
  for (let t = 0; t < m; t++) sum += weights[i * m + t] * weights[j * m + t];
  return sum;
}

/** Output energy that is lost for good without these channels. */
export function removalLoss(reader: LinearReader, channels: readonly number[]): number {
  const { inputs: n, outputs: m, weights, inverse, power } = reader;
  if (!inverse) return channels.reduce((sum, c) => sum + power[c] * rowDot(weights, m, c, c), 0);
  if (channels.length === 1)
    return rowDot(weights, m, channels[0], channels[0]) / inverse[channels[0] * n + channels[0]];
  const b = channels.length;
  const block = new Float64Array(b * b);
  const products = new Float64Array(b * b);
  for (let i = 0; i < b; i++) {
    for (let j = 0; j < b; j++) {
      block[i * b + j] = inverse[channels[i] * n + channels[j]];
      products[i * b + j] = rowDot(weights, m, channels[i], channels[j]);
    }
  }
  const l = cholesky(block, b);
  if (!l) return 0;
  choleskySolve(l, b, products, b);
  let trace = 0;
  for (let i = 0; i < b; i++) trace += products[i * b + i];
  return trace;
}

/** Takes channels out in place. */
export function removeChannels(reader: LinearReader, channels: readonly number[]): void {
  const { inputs: n, outputs: m, weights, inverse } = reader;
  for (const c of channels) {
    const pivot = inverse ? inverse[c * n + c] : 0;
    if (inverse && pivot > 0) {
      const column = Float64Array.from({ length: n }, (_, i) => inverse[i * n + c] / pivot);
      const own = inverse.slice(c * n, c * n + n);
      for (let i = 0; i < n; i++) {
        const factor = column[i];
        if (factor === 0 || i === c) continue;
        for (let t = 0; t < m; t++) weights[i * m + t] -= factor * weights[c * m + t];
        for (let j = 0; j < n; j++) inverse[i * n + j] -= factor * own[j];
        inverse[i * n + c] = 0;
      }
      inverse.fill(0, c * n, c * n + n);
    }
    weights.fill(0, c * m, c * m + m);
  }
}

/** Share of the output's energy that is lost without one weight, by weight: its root, so that it is of the weight's order. */
export function weightScores({ inputs: n, outputs: m, weights, inverse, power, energy }: LinearReader): Float32Array {
  const scores = new Float32Array(weights.length);
  for (let c = 0; c < n; c++) {
    const price = inverse ? 1 / inverse[c * n + c] : power[c];
    const unit = energy > 0 ? Math.sqrt(Math.max(0, price) / energy) : 0;
    for (let t = 0; t < m; t++) scores[c * m + t] = unit * Math.abs(weights[c * m + t]);
  }
  return scores;
}

/**
 * Sets the weights to zero whose score is below the threshold, in place. Uses up the reader. Returns how many are zero.
 */
export function zeroWeightsBelow(reader: LinearReader, scores: Float32Array, threshold: number): number {
  return zeroWeights(reader, (c, t) => scores[c * reader.outputs + t] < threshold);
}

/** Of every four channels in a row, the two become zero that an output can best do without: 2:4. Uses up the reader. */
export function zeroTwoOfFour(reader: LinearReader): number {
  const { outputs: m } = reader;
  const zero = new Uint8Array(4 * m);
  return zeroWeights(reader, (c, t) => {
    if (c % 4 === 0 && t === 0) markTwoOfFour(reader, c, zero);
    return zero[(c % 4) * m + t] === 1;
  });
}

function markTwoOfFour(
  { inputs: n, outputs: m, weights, inverse, power }: LinearReader,
  first: number,
  zero: Uint8Array,
) {
  const unit = [0, 1, 2, 3].map((i) => {
    const c = first + i;
    const pivot = inverse ? inverse[c * n + c] : 0;
    return pivot > 0 ? 1 / pivot : power[c];
  });
  for (let t = 0; t < m; t++) {
    for (let i = 0; i < 4; i++) {
      const price = unit[i] * weights[(first + i) * m + t] ** 2;
      let dearer = 0;
      for (let j = 0; j < 4; j++) {
        const other = unit[j] * weights[(first + j) * m + t] ** 2;
        if (other > price || (other === price && j < i)) dearer++;
      }
      zero[i * m + t] = dearer >= 2 ? 1 : 0;
    }
  }
}

/**
 * Sets weights to zero in place, channel by channel; the channels not yet visited make good for each (Frantar and
 * Alistarh 2023, "SparseGPT"). `isZero` is asked channel by channel, so that it may look at what the weights are by then.
 */
function zeroWeights(reader: LinearReader, isZero: (channel: number, output: number) => boolean): number {
  const { inputs: n, outputs: m, weights, inverse } = reader;
  let zeros = 0;
  for (let c = 0; c < n; c++) {
    const lost = new Float64Array(m);
    for (let t = 0; t < m; t++) {
      if (!isZero(c, t)) continue;
      lost[t] = weights[c * m + t];
      weights[c * m + t] = 0;
      zeros++;
    }
    const pivot = inverse ? inverse[c * n + c] : 0;
    if (!inverse || !(pivot > 0)) continue;
    for (let i = c + 1; i < n; i++) {
      const factor = inverse[i * n + c] / pivot;
      for (let t = 0; t < m; t++) weights[i * m + t] -= factor * lost[t];
      for (let j = c + 1; j < n; j++) inverse[i * n + j] -= factor * inverse[c * n + j];
    }
  }
  return zeros;
}
