/** Every operator Edgewright knows, found by domain and name. */
import { activationOps } from "./activation.ts";
import { attentionOps } from "./attention.ts";
import { contribOps } from "./contrib.ts";
import { controlOps } from "./control.ts";
import { convOps } from "./conv.ts";
import { elementwiseOps } from "./elementwise.ts";
import { lossOps } from "./loss.ts";
import { matmulOps } from "./matmul.ts";
import { miscOps } from "./misc.ts";
import { normalizationOps } from "./normalization.ts";
import type { OpDef } from "./op.ts";
import { poolOps } from "./pool.ts";
import { quantizeOps } from "./quantize.ts";
import { randomOps } from "./random.ts";
import { recurrentOps } from "./recurrent.ts";
import { reduceOps } from "./reduce.ts";
import { resizeOps } from "./resize.ts";
import { selectOps } from "./select.ts";
import { sequenceOps } from "./sequence.ts";
import { shapeOps } from "./shape.ts";
import { signalOps } from "./signal.ts";
import { textOps } from "./text.ts";

const FAMILIES: readonly (readonly OpDef[])[] = [
  activationOps,
  attentionOps,
  contribOps,
  controlOps,
  convOps,
  elementwiseOps,
  lossOps,
  matmulOps,
  miscOps,
  normalizationOps,
  poolOps,
  quantizeOps,
  randomOps,
  recurrentOps,
  reduceOps,
  resizeOps,
  selectOps,
  sequenceOps,
  shapeOps,
  signalOps,
  textOps,
];

export const knownOps: readonly OpDef[] = FAMILIES.flat();

const byDomain = new Map<string, Map<string, OpDef>>();
for (const op of knownOps) {
  const domain = op.domain ?? "";
  const ops = byDomain.get(domain) ?? new Map<string, OpDef>();
  byDomain.set(domain, ops.set(op.opType, op));
}

/** Undefined for an operator that Edgewright does not know. */
export function opDef(domain: string, opType: string): OpDef | undefined {
  return byDomain.get(domain === "ai.onnx" ? "" : domain)?.get(opType);
}
