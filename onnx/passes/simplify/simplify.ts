/**
 * Rewrites a model into a smaller one that computes the same, in standard ONNX operators, until no rule applies.
 * Every rewrite is counted under its rule's name; what a rule looked at and left is noted with the reason.
 */

import { type Inference, inferShapes } from "../../infer.ts";
import type { Graph, Model, Value } from "../../ir/graph.ts";
import { nodeLabel } from "../../verify.ts";
import { optionalInputs, withoutDefaults } from "../optionalInputs.ts";
import type { Pass, PassContext, PassNote, PassResult } from "../pass.ts";
import { fuseAffineBeforeConv } from "./affineBeforeConv.ts";
import { fuseAttention } from "./attention.ts";
import { mergeCommonSubexpressions } from "./commonSubexpressions.ts";
import { mergeConstantChains } from "./constantChains.ts";
import { foldConstants, foldShapes } from "./constantFolding.ts";
import { fuseAffine } from "./convAffine.ts";
import { dropDeadNodes } from "./deadNodes.ts";
import { forgetDeclaredSymbols } from "./declaredSymbols.ts";
import { fuseFocusIntoConv } from "./focus.ts";
import { fuseGelu } from "./gelu.ts";
import { fuseMatMulAdd } from "./gemm.ts";
import { dropCastPairs, dropIdentities, mergeReshapes } from "./identities.ts";
import {
  constantsToInitializers,
  dropUnusedInitializers,
  inputsToConstants,
  mergeEqualInitializers,
} from "./initializers.ts";
import { fuseLayerNormalization } from "./layerNorm.ts";
import { foldScaleIntoLayer } from "./layerScale.ts";
import { fusePadIntoLayer } from "./padConv.ts";
import type { Rule } from "./rule.ts";
import { constantReshapeTargets } from "./shapes.ts";
import { sinkTransposes } from "./transposeRegions.ts";
import { foldTransposeIntoGemm, mergeTransposes } from "./transposes.ts";
import { mergeViews } from "./views.ts";

/** In the order of a round: constants first, since most other rules ask for them. */
export const simplifyRules: readonly Rule[] = [
  constantsToInitializers,
  inputsToConstants,
  foldShapes,
  constantReshapeTargets,
  dropDeadNodes,
  foldConstants,
  dropIdentities,
  dropCastPairs,
  mergeReshapes,
  mergeTransposes,
  sinkTransposes,
  mergeViews,
  mergeEqualInitializers,
  mergeCommonSubexpressions,
  fuseLayerNormalization,
  fuseGelu,
  fuseAttention,
  fuseMatMulAdd,
  foldTransposeIntoGemm,
  foldScaleIntoLayer,
  fusePadIntoLayer,
  fuseFocusIntoConv,
  mergeConstantChains,
  fuseAffine,
  fuseAffineBeforeConv,
  dropDeadNodes,
  dropUnusedInitializers,
];

/** Each round makes the graph smaller or its operators simpler; this many are never reached by a sound rule set. */
const MAX_ROUNDS = 64;

function* graphsOf(graph: Graph): Generator<Graph> {
  yield graph;
  for (const node of graph.nodes) for (const sub of node.subgraphs) yield* graphsOf(sub);
}

async function applyRule(rule: Rule, model: Model, scope: Scope): Promise<number> {
  let count = 0;
  for (const graph of [...graphsOf(model.graph)]) {
    count += await rule.apply({
      graph,
      opset: model.opset,
      ...(scope.ctx.evaluator && { evaluator: scope.ctx.evaluator }),
      ...(scope.ctx.signal && { signal: scope.ctx.signal }),
      elements: (value: Value) => scope.facts.elements.get(value),
      note: (node, reason) => scope.notes.push({ node: nodeLabel(node), rule: rule.name, reason }),
    });
  }
  return count;
}

interface Scope {
  readonly ctx: PassContext;
  readonly facts: Inference;
  readonly notes: PassNote[];
}

/** The pass; `rules` leaves some out. Without an evaluator nothing is folded but what shape inference knows. */
export function simplify(rules: readonly Rule[] = simplifyRules): Pass {
  return {
    name: "simplify",
    async run(model, ctx) {
      const optional = optionalInputs(model);
      // IR versions below 4 do not know initializers that are no inputs.
      model.irVersion = Math.max(model.irVersion, 4);
      const nameOutputs = forgetDeclaredSymbols(model);
      const result = await withoutDefaults(optional, () => rewrite(model, rules, ctx));
      nameOutputs();
      return result;
    },
  };
}

async function rewrite(model: Model, rules: readonly Rule[], ctx: PassContext): Promise<PassResult> {
  const applied: Record<string, number> = {};
  let notes: PassNote[] = [];
  let facts = inferShapes(model);
  for (let round = 0, changed = true; changed && round < MAX_ROUNDS; round++) {
    changed = false;
    notes = [];
    for (const rule of rules) {
      ctx.signal?.throwIfAborted();
      const count = await applyRule(rule, model, { ctx, facts, notes });
      if (count === 0) continue;
      applied[rule.name] = (applied[rule.name] ?? 0) + count;
      changed = true;
      facts = inferShapes(model);
    }
    ctx.progress?.(round + 1, undefined, "rounds", `${model.graph.nodes.length} nodes`);
  }
  return { applied, notes };
}
