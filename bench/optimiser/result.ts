/** What a run of the bench leaves: `results.json`, which the document's tables and plots are drawn from. */

export interface FrontPoint {
  readonly speedup: number;
  readonly sizeShare?: number;
  readonly sqnrDb?: number;
  readonly mAP?: number;
}

export interface Found {
  readonly ranges?: { readonly method: string; readonly tried?: readonly { method: string; sqnrDb: number }[] };
  readonly steps?: readonly { step: string; beforeDb: number; afterDb: number; kept: boolean }[];
  readonly front?: readonly FrontPoint[];
  readonly chosen?: FrontPoint;
}

export interface VariantResult {
  readonly name: string;
  /** "edgewright" or the peer's package. */
  readonly tool: string;
  /** Why there are no figures. */
  readonly failed?: string;
  /** Whole process, median of the rounds; CPU and memory of the process and its children. */
  readonly seconds?: number;
  readonly cpuSeconds?: number;
  readonly peakRssMb?: number;
  /** Of the largest process alone. */
  readonly largestRssMb?: number;
  readonly sizeShare?: number;
  readonly sizeMb?: number;
  /** By output, against the FP32 model on held-back items. */
  readonly sqnrDb?: Readonly<Record<string, number | null>>;
  readonly mAP?: number;
  readonly mAP50?: number;
  readonly personAP50?: number;
  /** FP32 time / own time, by thread count. */
  readonly speed?: Readonly<Record<string, number>>;
  readonly cosine?: { readonly mean: number; readonly min: number; readonly spearman: number };
  readonly nodes?: number;
  readonly relative?: number;
  readonly macs?: number;
  /** Of the product's own report: what each way to more accuracy gave, and the front a search found. */
  readonly found?: Found;
}

export interface RowResult {
  readonly id: string;
  readonly title: string;
  readonly bar?: string;
  readonly bestPeer?: string;
  readonly machine: string;
  readonly time: string;
  readonly variants: readonly VariantResult[];
}
