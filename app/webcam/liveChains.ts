/**
 * Where a pipeline says how to go from a picture to boxes: each preprocess -> infer -> NMS in a row, with the parameters
 * that hold there and the output whose model it runs. Pure.
 */

import { infer } from "../../nodes/infer/schema.ts";
import { type NmsParams, nms } from "../../nodes/nms/schema.ts";
import { type PreprocessParams, preprocess } from "../../nodes/preprocess/schema.ts";
import { type Endpoint, type PipelineDoc, parseEndpoint } from "../../pipelines/document/doc.ts";
import type { NodeDefs } from "../../pipelines/document/graph.ts";
import { own } from "../../pipelines/document/own.ts";
import { isBaseline } from "../results/baseline.ts";

export interface LiveChain {
  /** The infer node. */
  readonly id: string;
  /** The output whose model is run; what a compiler made of it is passed over, since that is bound to its device. */
  readonly model: Endpoint;
  readonly modelTitle: string;
  /** As set; settings that are wired in are yet to be read. */
  readonly preprocess: PreprocessParams;
  readonly nms: NmsParams;
  /** Settings of a model, by whom they are read. */
  readonly settings: { readonly preprocess?: Endpoint; readonly nms?: Endpoint };
}

/** The original first, so that the last one is what the pipeline is for. */
export function liveChains(defs: NodeDefs, doc: PipelineDoc): LiveChain[] {
  const ends = Object.keys(doc.nodes).filter((id) => doc.nodes[id]?.type === nms.type);
  const chains = ends.flatMap((id) => chainTo(defs, doc, id) ?? []);
  const rank = (chain: LiveChain) => (isBaseline(chain.id) ? 0 : 1);
  return chains.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
}

function chainTo(defs: NodeDefs, doc: PipelineDoc, id: string): LiveChain | undefined {
  const inferred = sourceOf(doc, id, "tensors");
  if (!inferred || doc.nodes[inferred.node]?.type !== infer.type) return undefined;
  const pictures = settingsOf(doc, sourceOf(doc, inferred.node, "tensors")?.node);
  const model = runnableModel(defs, doc, sourceOf(doc, inferred.node, "model"));
  const picture = preprocess.params.safeParse(pictures && doc.nodes[pictures.node]?.params);
  const boxes = nms.params.safeParse(doc.nodes[id]?.params);
  if (!model || !picture.success || !boxes.success) return undefined;
  const node = doc.nodes[model.node];
  const modelTitle = node?.title ?? own(defs, node?.type ?? "")?.title ?? model.node;
  const named = sourceOf(doc, id, "settings");
  const settings = { ...(pictures?.from && { preprocess: pictures.from }), ...(named && { nms: named }) };
  return { id: inferred.node, model, modelTitle, preprocess: picture.data, nms: boxes.data, settings };
}

function sourceOf(doc: PipelineDoc, node: string, port: string): Endpoint | undefined {
  const edge = doc.edges.find((e) => e.to === `${node}.${port}`);
  return edge && parseEndpoint(edge.from);
}

interface Settings {
  /** The preprocess whose parameters hold: those of another that are wired to one win over its own. */
  readonly node: string;
  /** What else is wired to it. */
  readonly from?: Endpoint;
}

function settingsOf(doc: PipelineDoc, id: string | undefined): Settings | undefined {
  const seen = new Set<string>();
  for (let at = id; at !== undefined && !seen.has(at); ) {
    if (doc.nodes[at]?.type !== preprocess.type) return undefined;
    seen.add(at);
    const from = sourceOf(doc, at, "settings");
    if (!from) return { node: at };
    if (doc.nodes[from.node]?.type !== preprocess.type) return { node: at, from };
    at = from.node;
  }
  return undefined;
}

/** Up past every node whose output is bound to the device it was built for. */
function runnableModel(defs: NodeDefs, doc: PipelineDoc, from: Endpoint | undefined): Endpoint | undefined {
  const seen = new Set<string>();
  for (let at = from; at !== undefined && !seen.has(at.node); ) {
    seen.add(at.node);
    const def = own(defs, doc.nodes[at.node]?.type ?? "");
    if (def?.effects !== "builds") return def && own(def.outputs, at.port)?.kind === "model" ? at : undefined;
    at = sourceOf(doc, at.node, "model");
  }
  return undefined;
}
