/** Our own check first, then a builder. Without one the run fails or gives a kit; it never claims an engine. */
import { inferShapes } from "../../onnx/infer.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import { type ReadinessProblem, tensorrtReadiness } from "../../onnx/passes/tensorrtReadiness.ts";
import type { BuiltEngine, RunContext, TensorRtBuilder } from "../context.ts";
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef } from "../ports.ts";
import { capabilitiesFor, evidenceFor, refuseTarget } from "./capabilities.ts";
import { countConvolutions } from "./convolutions.ts";
import { makeKit } from "./kit.ts";
import { type CompileTensorrtParams, compileTensorrt } from "./schema.ts";

export const run = implementNode(compileTensorrt, async (ctx, { model }, params) => {
  refuseTarget(ctx.target, params);
  const builder = params.builder === "kit" ? undefined : await findBuilder(ctx, params.builder);
  const graph = await ctx.artifacts.openModel(model);
  // Types of inner values show where precisions meet; the file itself stays as it is.
  inferShapes(graph);
  const name = builder?.name.split(" ")[0];
  const computeCapabilities = capabilitiesFor(ctx.target, params, name);
  const problems = await tensorrtReadiness(graph, {
    computeCapabilities,
    shapes: params.shapes,
    ...((name === "trtexec" || name === "tensorrt-rtx") && { builder: name }),
  });
  refuse(problems);
  const result = builder
    ? await buildEngines({ ctx, builder, graph }, model, { computeCapabilities, shapes: params.shapes })
    : { built: false, builder: "kit", kit: await makeKit(ctx.artifacts, model, params.shapes), warnings: [] };
  const { engine, ...rest } = { engine: undefined, engines: [], ...result };
  const evidence = evidenceFor(ctx.target, rest.engines, name === "trtexec" && params.computeCapabilities.length === 0);
  const report = {
    kind: "compile-tensorrt",
    version: 1,
    provenance: "computed",
    target: ctx.target.id,
    ...rest,
    ...(evidence !== undefined && { evidence }),
    warnings: [...problems.map(problemText), ...rest.warnings],
  } as const;
  for (const warning of report.warnings) ctx.warn(warning);
  if (evidence !== undefined) ctx.warn(evidence);
  if ("kit" in rest) ctx.log(`No engine was built; the build kit is the folder ${rest.kit.path}.`);
  return { ...(engine && { engine }), report: await ctx.artifacts.report(report) };
});

async function findBuilder(ctx: RunContext, name: "auto" | "trtexec" | "tensorrt-rtx"): Promise<TensorRtBuilder> {
  const builder = await ctx.tensorRt(name === "auto" ? undefined : name);
  if (builder) return builder;
  throw new UserError(
    "no-tensorrt-builder",
    name === "auto" ? "no TensorRT builder is set up on this machine" : `${name} is not set up on this machine`,
    "Run `edgewright setup tensorrt-rtx`, or set builder = kit to get the ONNX and the exact command.",
  );
}

const SHOWN = 3;

function refuse(problems: readonly ReadinessProblem[]): void {
  const errors = problems.filter((problem) => problem.severity === "error");
  const [first] = errors;
  if (!first) return;
  // One cause often shows at a hundred nodes: each kind of problem once, with how often.
  const kinds = [...new Set(errors.map(({ code }) => code))].map((code) => errors.filter((p) => p.code === code));
  const texts = kinds.slice(0, SHOWN).flatMap(([problem, ...more]) => {
    if (!problem) return [];
    return [more.length > 0 ? `${problemText(problem)} (and ${more.length} more like it)` : problemText(problem)];
  });
  const fixes = new Set(kinds.slice(0, SHOWN).flatMap(([problem]) => (problem ? [problem.fix] : [])));
  throw new UserError(
    "not-ready-for-tensorrt",
    `TensorRT would refuse the model: ${texts.join("; ")}`,
    [...fixes].join(" "),
  );
}

function problemText({ node, message }: ReadinessProblem): string {
  return node === "" ? message : `${node}: ${message}`;
}

interface Building {
  readonly ctx: RunContext;
  readonly builder: TensorRtBuilder;
  readonly graph: Model;
}

async function buildEngines(
  { ctx, builder, graph }: Building,
  model: ArtifactRef<"model">,
  { computeCapabilities, shapes }: Pick<CompileTensorrtParams, "computeCapabilities" | "shapes">,
) {
  ctx.progress(0, 1, "builds", `${builder.name} builds for ${computeCapabilities.join(", ") || "this machine's GPU"}`);
  const { engines, warnings } = await builder.build(model, { computeCapabilities, shapes, signal: ctx.signal });
  ctx.progress(1, 1, "builds");
  return {
    built: true,
    builder: builder.name,
    engine: await engineArtifact(ctx, engines),
    engines: Object.entries(engines).map(([file, built]) => describeEngine(file, built, graph)),
    warnings,
  };
}

function describeEngine(file: string, { layers, ...built }: BuiltEngine, { graph }: Model) {
  const { byPrecision, unseen } = countConvolutions(graph, layers);
  return {
    file,
    computeCapability: built.computeCapability,
    digest: built.digest,
    sizeBytes: built.size,
    buildSeconds: built.buildSeconds,
    convolutions: byPrecision,
    ...(unseen > 0 && { convolutionsUnseen: unseen }),
    layerCount: layers.length,
    // Layers without a node of the model are the builder's own copies and signals.
    layers: layers.filter((layer) => layer.origins.length > 0),
  };
}

async function engineArtifact(
  ctx: RunContext,
  engines: Readonly<Record<string, BuiltEngine>>,
): Promise<ArtifactRef<"engine">> {
  const [only, ...more] = Object.values(engines);
  if (only && more.length === 0) return { kind: "engine", digest: only.digest, size: only.size };
  return ctx.artifacts.putTree("engine", engines);
}
