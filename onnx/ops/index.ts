/** Every operator Edgewright knows, found by domain and name. */
import { convOps } from "./conv.ts";
import type { OpDef } from "./op.ts";

const FAMILIES: readonly (readonly OpDef[])[] = [convOps];

const byName = new Map<string, OpDef>();
for (const op of FAMILIES.flat()) byName.set(keyOf(op.domain ?? "", op.opType), op);

function keyOf(domain: string, opType: string): string {
  return `${domain === "ai.onnx" ? "" : domain}:${opType}`;
}

/** Undefined for an operator that Edgewright does not know. */
export function opDef(domain: string, opType: string): OpDef | undefined {
  return byName.get(keyOf(domain, opType));
}

export function knownOps(): readonly OpDef[] {
  return [...byName.values()];
}
