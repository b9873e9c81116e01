/** From what was submitted to a document that can run: migrated, changed by `set`, checked. Says all that is wrong. */
import type { Diagnostic } from "../../nodes/define.ts";
import { checkPipeline, parseParams } from "../../pipelines/document/check.ts";
import { type PipelineDoc, parseEndpoint, pipelineDocSchema } from "../../pipelines/document/doc.ts";
import { type NodeDefs, upstreamOf } from "../../pipelines/document/graph.ts";
import { migrateDoc } from "../../pipelines/document/migrations.ts";
import { own } from "../../pipelines/document/own.ts";
import { rawJsonProblem } from "../../pipelines/document/rawJson.ts";
import { sourceParams } from "../../pipelines/document/sources.ts";
import { describeError } from "./errors.ts";

export interface Submission {
  /** Any JSON; what is no pipeline is a diagnostic. */
  readonly doc: unknown;
  /** Name under which the run is listed; the document's own where absent. */
  readonly name?: string | undefined;
  /** Replaces the document's target. */
  readonly target?: string | undefined;
  /** By `node.param`. */
  readonly set?: Readonly<Record<string, unknown>> | undefined;
  /** Measure and export again. */
  readonly fresh?: boolean | undefined;
  /** Run only what this node needs, itself included. */
  readonly to?: string | undefined;
}

export interface PrepareContext {
  readonly defs: NodeDefs;
  /** Ids of the targets there are. */
  readonly targets: readonly string[];
  /** Optional parts of the installation that are there. */
  readonly capabilities: ReadonlySet<string>;
  readonly capabilityFixes: Readonly<Record<string, string>>;
  /** Throws UserError where a source names nothing, or nothing that it may. */
  verifySource(source: string, context: { readonly kind: string; readonly sha256?: string }): Promise<void>;
}

export interface Prepared {
  /** Absent where an error forbids to run. */
  readonly doc?: PipelineDoc;
  readonly diagnostics: readonly Diagnostic[];
}

export async function prepare(submission: Submission, context: PrepareContext): Promise<Prepared> {
  const { defs } = context;
  const migrated = migrateDoc(defs, submission.doc);
  if ("diagnostics" in migrated) return { diagnostics: migrated.diagnostics };
  const applied = applySettings(migrated.doc, submission, context);
  if ("diagnostics" in applied) return applied;
  const doc = upTo(applied.doc, submission.to);
  const diagnostics = [
    ...checkPipeline(defs, doc),
    ...missingParts(doc, context),
    ...(await wrongSources(doc, context)),
  ];
  return diagnostics.some(({ severity }) => severity === "error") ? { diagnostics } : { doc, diagnostics };
}

function applySettings(
  doc: PipelineDoc,
  { set = {}, target, to }: Submission,
  { defs, targets }: PrepareContext,
): { readonly doc: PipelineDoc } | { readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const nodes = structuredClone(doc.nodes);
  for (const [path, value] of Object.entries(set)) {
    const dot = path.indexOf(".");
    const [id, param] = dot < 0 ? [path, ""] : [path.slice(0, dot), path.slice(dot + 1)];
    const node = own(nodes, id);
    if (!node) {
      const fix = `Its nodes are ${Object.keys(nodes).join(", ")}.`;
      diagnostics.push(error("unknown-node", `the pipeline has no node "${id}"`, fix));
      continue;
    }
    const def = own(defs, node.type);
    if (def && !Object.hasOwn(def.params.shape, param)) {
      const fix = `Its parameters are ${Object.keys(def.params.shape).join(", ")}.`;
      diagnostics.push(error("unknown-parameter", `${id} (${node.type}) has no parameter "${param}"`, fix));
      continue;
    }
    const problem = rawJsonProblem(value);
    if (problem !== undefined) {
      diagnostics.push({ ...error("bad-parameter", `The value of "${path}": ${problem}.`, "Remove it."), nodeId: id });
      continue;
    }
    node.params = { ...node.params, [param]: asJson(value) };
  }
  const id = target ?? doc.target;
  if (!targets.includes(id)) {
    diagnostics.push(error("unknown-target", `there is no target "${id}"`, `There are ${targets.join(", ")}.`));
  }
  if (to !== undefined && !Object.hasOwn(nodes, to)) {
    diagnostics.push(error("unknown-node", `the pipeline has no node "${to}" to run to`, "Name one of its nodes."));
  }
  return diagnostics.length > 0 ? { diagnostics } : { doc: { ...doc, nodes, target: id } };
}

/** The part of a document that `to` needs: what is unfinished elsewhere does not matter. */
function upTo(doc: PipelineDoc, to: string | undefined): PipelineDoc {
  if (to === undefined) return doc;
  const wanted = upstreamOf(doc, to).add(to);
  return {
    ...doc,
    nodes: Object.fromEntries(Object.entries(doc.nodes).filter(([id]) => wanted.has(id))),
    edges: doc.edges.filter((edge) => wanted.has(parseEndpoint(edge.to).node)),
  };
}

const jsonValue = pipelineDocSchema.shape.nodes.valueType.shape.params.unwrap().valueType;

/** What is no JSON is left to the parameter's schema to refuse. */
function asJson(value: unknown): ReturnType<typeof jsonValue.parse> {
  const parsed = jsonValue.safeParse(value);
  return parsed.success ? parsed.data : String(value);
}

function missingParts(doc: PipelineDoc, { defs, capabilities, capabilityFixes }: PrepareContext): Diagnostic[] {
  return Object.entries(doc.nodes).flatMap(([nodeId, node]) => {
    const def = own(defs, node.type);
    const parsed = def && parseParams(def, node);
    if (!parsed || !("params" in parsed)) return [];
    return (def.requires?.(parsed.params) ?? [])
      .filter((part) => !capabilities.has(part))
      .map((part) => {
        const fix = own(capabilityFixes, part) ?? `Run edgewright setup ${part}.`;
        return { ...error("missing-part", `${def.title} needs ${part}, which is not set up here.`, fix), nodeId };
      });
  });
}

/** What a source names is looked at before any step, so that a run never ends at a file that was not there. */
async function wrongSources(doc: PipelineDoc, { defs, verifySource }: PrepareContext): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const [nodeId, node] of Object.entries(doc.nodes)) {
    const def = own(defs, node.type);
    const parsed = def && parseParams(def, node);
    if (!parsed || !("params" in parsed)) continue;
    const { sha256 } = parsed.params;
    for (const { name, kind } of sourceParams(def)) {
      const source = parsed.params[name];
      if (typeof source !== "string" || source === "") continue;
      try {
        await verifySource(source, { kind, ...(typeof sha256 === "string" && sha256 !== "" && { sha256 }) });
      } catch (cause) {
        const { code, message, fix } = describeError(cause);
        found.push({
          code,
          severity: "error",
          nodeId,
          message: `${name}: ${message}.`,
          ...(fix !== undefined && { fix }),
        });
      }
    }
  }
  return found;
}

function error(code: string, message: string, fix: string): Diagnostic {
  return { code, severity: "error", message, fix };
}
