/**
 * A sample of large tensors: in each plane of [outer, channels, inner] every n-th value, from a place that moves on by one
 * with each plane and each image, so that n of either have been read at every place. The same images give the same sample.
 */
export interface Stride {
  readonly inner: number;
  /** 1 takes everything. */
  readonly every: number;
  /** Where the first plane begins, before it is taken modulo `every`. */
  readonly from: number;
}

let scratch = new Float32Array(0);

/** Laid out as before, with floor(inner / every) values a plane. It holds until the next call, and may be `data` itself. */
export function everyNth(data: Float32Array, { inner, every, from }: Stride): Float32Array {
  if (every === 1) return data;
  const planes = data.length / inner;
  const size = Math.floor(inner / every);
  if (scratch.length < planes * size) scratch = new Float32Array(planes * size);
  let to = 0;
  for (let plane = 0; plane < planes; plane++) {
    let at = plane * inner + ((from + plane) % every);
    for (let i = 0; i < size; i++, at += every) scratch[to++] = data[at];
  }
  return scratch.subarray(0, to);
}
