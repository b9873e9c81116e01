/** Why a layer is left in float where it could be integers: what it would lose by itself, or what the outputs would. */
export interface Floors {
  /** A layer that would keep less than this by its own quantization stays in float, dB. */
  readonly minSqnrDb: number;
  /** SQNR of the outputs with one layer alone quantized, dB by its name, where that was measured. */
  readonly measured?: ReadonlyMap<string, number>;
  /** Where a simulation measured them. */
  readonly simulated?: boolean;
  /** Names of layers without which the outputs keep their floor. */
  readonly spared?: ReadonlySet<string>;
}

export function reasonForFloat(name: string, predictedDb: number | undefined, floors: Floors): string | undefined {
  const { minSqnrDb, measured, simulated, spared } = floors;
  const ownDb = measured?.get(name) ?? predictedDb;
  const how = simulated ? "simulated" : "measured";
  const keeps = ownDb === undefined ? "" : `${ownDb.toFixed(1)} dB (${measured?.has(name) ? how : "predicted"})`;
  if (minSqnrDb > 0 && ownDb !== undefined && ownDb < minSqnrDb)
    return `quantized, it would keep ${keeps}, below ${minSqnrDb} dB`;
  if (!spared?.has(name)) return undefined;
  return `the outputs would keep less than ${minSqnrDb} dB with it${keeps && `; by its own quantization it would keep ${keeps}`}`;
}
