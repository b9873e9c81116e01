import type { Graph, Model } from "../../onnx/ir/graph.ts";
import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef } from "../ports.ts";
import { describeModel } from "./describe.ts";
import { freezeInputs } from "./freeze.ts";
import { type OpenedModel, openSource } from "./openSource.ts";
import { loadModel } from "./schema.ts";
import { type ModelSettings, modelSettings } from "./settings.ts";

/** Above, a model artifact is a tree with its large tensors as files of their own. */
const ONE_FILE_BYTES = 256 * 2 ** 20;
/** The structure's name in a tree. */
const MODEL_FILE = "model.onnx";

export const run = implementNode(loadModel, async (ctx, _inputs, { source, sha256, inputShapes }) => {
  const files = ctx.sources.source ?? [];
  if (source !== "" && files.length === 0) {
    throw new UserError("no-model", "the folder is empty", "Choose the model's folder, or its file.");
  }
  const opened = await openSource(ctx, files, sha256);
  const { model, file, dataFiles } = opened;
  if (model.graph.nodes.length === 0) {
    throw new UserError("empty-graph", `"${file.name}" has no operators`, "Export the model again.");
  }
  refuseNewer(model, file.name);
  const freezes = Object.keys(inputShapes).length > 0;
  if (freezes) freezeInputs(model, inputShapes);
  const sorted = sortNodes(model.graph);
  const bytes = [file, ...dataFiles].reduce((sum, { size }) => sum + size, 0);
  const report = describeModel(model, { name: file.name, bytes });
  for (const { code, message, fix } of report.warnings) {
    if (RUNTIMES_REFUSE.has(code)) ctx.warn(`${message}. ${fix}`);
    else ctx.log(`${message}. ${fix}`);
  }
  const settings = file.known && modelSettings(file.known, model.graph);
  if (settings) ctx.log(`known as ${settings.title}: its settings go to preprocess and nms where they are wired`);
  return {
    ...(settings && { settings: await putJson(ctx, settings) }),
    model: freezes || sorted ? await ctx.artifacts.saveModel(model) : await artifact(ctx, opened),
    report: await ctx.artifacts.report(report),
  };
});

async function putJson(ctx: RunContext, settings: ModelSettings): Promise<ArtifactRef<"settings">> {
  return ctx.artifacts.put("settings", new TextEncoder().encode(`${JSON.stringify(settings)}\n`));
}

/** The latest that ONNX Runtime 1.30 takes. */
const LATEST_IR = 13;
const LATEST_OPSET = 26;

/** Said in words of ours, before a runtime says it in its own. */
function refuseNewer({ irVersion, opset }: Model, name: string): void {
  const newer = [
    ...(irVersion > LATEST_IR ? [`IR version ${irVersion} (known: up to ${LATEST_IR})`] : []),
    ...(opset > LATEST_OPSET ? [`opset ${opset} (known: up to ${LATEST_OPSET})`] : []),
  ];
  if (newer.length === 0) return;
  const fix = `Export it for opset ${LATEST_OPSET} or earlier, or convert it (onnx.version_converter).`;
  throw new UserError("newer-onnx", `"${name}" is written in ${newer.join(" and ")}`, fix);
}

/** Warnings that a later step is likely to fail for. */
const RUNTIMES_REFUSE: ReadonlySet<string> = new Set(["unknown-operator", "custom-domain"]);

/** Files are found whose nodes stand in no topological order, as the format asks; true where they had to be moved. */
function sortNodes(graph: Graph): boolean {
  const before = graph.nodes;
  graph.sortTopologically();
  let moved = graph.nodes.some((node, i) => node !== before[i]);
  for (const node of graph.nodes) for (const sub of node.subgraphs) moved = sortNodes(sub) || moved;
  return moved;
}

/**
 * An untouched file of handy size is the artifact itself, and a large model's untouched files are its tree: nothing is
 * copied. Between them (a small model with external data, a large one without) the model is written in the artifact's form.
 */
async function artifact(ctx: RunContext, { model, file, dataFiles }: OpenedModel): Promise<ArtifactRef<"model">> {
  const large = [file, ...dataFiles].reduce((sum, { size }) => sum + size, 0) > ONE_FILE_BYTES;
  if (!large && dataFiles.length === 0) return { kind: "model", digest: file.digest, size: file.size };
  if (!large || dataFiles.length === 0 || file.size > ONE_FILE_BYTES) return ctx.artifacts.saveModel(model);
  const folder = file.name.slice(0, file.name.lastIndexOf("/") + 1);
  const data = dataFiles.map((each) => [each.name.slice(folder.length), each] as const);
  // A data file of the structure's own name would take its place.
  if (data.some(([name]) => name === MODEL_FILE)) return ctx.artifacts.saveModel(model);
  const stored = [[MODEL_FILE, file] as const, ...data].map(([name, { digest, size }]) => [name, { digest, size }]);
  return ctx.artifacts.putTree("model", Object.fromEntries(stored));
}
