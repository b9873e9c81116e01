/** Sums over pairs of equal tensors from which SQNR, cosine and the largest difference follow. */
export interface AgreementSums {
  count: number;
  /** Of reference^2, candidate^2, reference * candidate, and (reference - candidate)^2. */
  reference: number;
  candidate: number;
  product: number;
  error: number;
  maxAbs: number;
}

export function createAgreementSums(): AgreementSums {
  return { count: 0, reference: 0, candidate: 0, product: 0, error: 0, maxAbs: 0 };
}

/** A NaN or infinity on either side makes the sums NaN, which `agreementOf` reports as no figure. */
export function addAgreement(sums: AgreementSums, reference: ArrayLike<number>, candidate: ArrayLike<number>): void {
  let rr = 0;
  let cc = 0;
  let rc = 0;
  let ee = 0;
  let most = sums.maxAbs;
  for (let i = 0; i < reference.length; i++) {
    const r = reference[i];
    const c = candidate[i];
    const e = r - c;
    rr += r * r;
    cc += c * c;
    rc += r * c;
    ee += e * e;
    const size = Math.abs(e);
    if (size > most) most = size;
  }
  sums.count += reference.length;
  sums.reference += rr;
  sums.candidate += cc;
  sums.product += rc;
  sums.error += ee;
  sums.maxAbs = Number.isFinite(ee) ? most : Number.NaN;
}

/** Adds what one frame summed up to. */
export function addSums(into: AgreementSums, frame: AgreementSums): void {
  into.count += frame.count;
  into.reference += frame.reference;
  into.candidate += frame.candidate;
  into.product += frame.product;
  into.error += frame.error;
  into.maxAbs = Number.isNaN(frame.maxAbs) ? Number.NaN : Math.max(into.maxAbs, frame.maxAbs);
}

export interface Agreement {
  /** 10 log10(signal / error); absent where the outputs are equal (it would be infinite) or not finite. */
  readonly sqnrDb?: number;
  /** Absent where a side is zero throughout, or not finite. */
  readonly cosine?: number;
  readonly maxAbs?: number;
  /** Every value is equal. */
  readonly identical: boolean;
}

export function agreementOf({ reference, candidate, product, error, maxAbs }: AgreementSums): Agreement {
  const norm = Math.sqrt(reference) * Math.sqrt(candidate);
  return {
    ...(reference > 0 && error > 0 && Number.isFinite(error) && { sqnrDb: 10 * Math.log10(reference / error) }),
    ...(norm > 0 && Number.isFinite(product) && { cosine: Math.min(1, product / norm) }),
    ...(Number.isFinite(maxAbs) && { maxAbs }),
    identical: error === 0,
  };
}
