/** How much each element of a tensor varies over items, in two sums an element. */
export interface Variation {
  readonly sum: Float64Array;
  readonly sumOfSquares: Float64Array;
  items: number;
}

export function newVariation(length: number): Variation {
  return { sum: new Float64Array(length), sumOfSquares: new Float64Array(length), items: 0 };
}

export function addVariation(into: Variation, data: Float32Array): void {
  const { sum, sumOfSquares } = into;
  for (let i = 0; i < data.length; i++) {
    sum[i] += data[i];
    sumOfSquares[i] += data[i] * data[i];
  }
  into.items++;
}
