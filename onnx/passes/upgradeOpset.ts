/**
 * Takes a model from operator set 7 or later to a newer one (up to 25): rewrites what changed meaning on the way, leaves
 * the rest as it is, and raises the IR version as the set demands. Each rewrite is named in the result.
 */

import { inferShapes } from "../infer.ts";
import type { Graph, Model } from "../ir/graph.ts";
import { fixOtherInitializers, optionalInputs } from "./optionalInputs.ts";
import type { Pass } from "./pass.ts";
import { IR_VERSIONS, NEWEST_OPSET, OLDEST_OPSET } from "./upgradeOpset/opsets.ts";
import { type OpsetRewrite, opsetRewrites } from "./upgradeOpset/rewrites.ts";
import { UpgradeError } from "./upgradeOpset/upgradeError.ts";

/** How often each rewrite was applied, by name. Nothing happens where the model is as new already. */
export function upgradeOpset(model: Model, to: number): Readonly<Record<string, number>> {
  const from = model.opset;
  if (from >= to) return {};
  if (from < OLDEST_OPSET || to > NEWEST_OPSET) {
    throw new UpgradeError(
      `the model is written in operator set ${from}; upgrades go from ${OLDEST_OPSET} to ${NEWEST_OPSET}`,
      `Export the model in operator set ${OLDEST_OPSET} or later, best ${NEWEST_OPSET}.`,
    );
  }
  // Before IR 4 every initializer was listed as an input too; left there, it would now count as a default to override.
  fixOtherInitializers(model.graph, optionalInputs(model));
  const applied: Record<string, number> = {};
  // Rewrites in the order of the sets: what one writes (Upsample -> Resize) a later one may read.
  for (let opset = from + 1; opset <= to; opset++) {
    rewriteGraph(
      model.graph,
      opsetRewrites.filter((rewrite) => rewrite.since === opset),
      applied,
    );
  }
  model.opsetImports.delete("ai.onnx");
  model.opsetImports.set("", to);
  for (const [opset, ir] of IR_VERSIONS) if (to >= opset) model.irVersion = Math.max(model.irVersion, ir);
  return applied;
}

function rewriteGraph(graph: Graph, rewrites: readonly OpsetRewrite[], applied: Record<string, number>): void {
  if (rewrites.length === 0) return;
  for (const node of [...graph.nodes]) {
    for (const subgraph of node.subgraphs) rewriteGraph(subgraph, rewrites, applied);
    if (node.domain !== "" && node.domain !== "ai.onnx") continue;
    for (const rewrite of rewrites) {
      if (!rewrite.opTypes.includes(node.opType) || !rewrite.apply(node)) continue;
      applied[rewrite.name] = (applied[rewrite.name] ?? 0) + 1;
    }
  }
}

/** The same as a pass. Types are inferred first, since some rewrites ask for a rank. */
export function upgradeOpsetPass(to: number): Pass {
  return {
    name: "upgrade-opset",
    async run(model) {
      inferShapes(model);
      return { applied: upgradeOpset(model, to), notes: [] };
    },
  };
}
