/**
 * Any JSON to the document of this version, params that equal their defaults left out. Each step a format or a node ever took is a named migration; what cannot be
 * read is said with its place and its fix, and the input is never changed.
 */
import type { Diagnostic } from "../../nodes/define.ts";
import { FORMAT, FORMAT_VERSION, type PipelineDoc, type PipelineNode, pipelineDocSchema, sortKeys } from "./doc.ts";
import type { NodeDefs } from "./graph.ts";
import { own } from "./own.ts";
import { rawJsonProblem } from "./rawJson.ts";

export type Migrated =
  | { readonly doc: PipelineDoc /** Names of what was applied. */; readonly applied: readonly string[] }
  | { readonly diagnostics: readonly Diagnostic[] };

export function migrateDoc(defs: NodeDefs, raw: unknown): Migrated {
  if (typeof raw !== "object" || raw === null || !("format" in raw) || raw.format !== FORMAT) {
    return fail(
      "not-a-pipeline",
      `This is no pipeline: its "format" is not "${FORMAT}".`,
      "Choose a file saved by Edgewright.",
    );
  }
  const problem = rawJsonProblem(raw);
  if (problem !== undefined) return fail("bad-document", `This pipeline cannot be read: ${problem}.`, "Remove it.");
  if ("version" in raw && typeof raw.version === "number" && raw.version > FORMAT_VERSION) {
    const message = `This pipeline has format version ${raw.version}; this Edgewright reads up to ${FORMAT_VERSION}.`;
    return fail("newer-version", message, "Update Edgewright.");
  }
  const parsed = pipelineDocSchema.safeParse(raw);
  if (!parsed.success) {
    return {
      diagnostics: parsed.error.issues.map((issue) => {
        const nodeId = issue.path[0] === "nodes" && issue.path.length > 1 ? String(issue.path[1]) : undefined;
        const where = issue.path.map(String).join(".");
        const message = where ? `${where}: ${issue.message}.` : `${issue.message}.`;
        return { code: "bad-document", severity: "error", nodeId, message, fix: "Correct or remove this entry." };
      }),
    };
  }
  const nodes: Record<string, PipelineNode> = {};
  const applied: string[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [id, node] of Object.entries(parsed.data.nodes)) {
    const outcome = migrateNode(defs, id, node);
    if ("diagnostic" in outcome) diagnostics.push(outcome.diagnostic);
    else {
      nodes[id] = withoutDefaults(defs, outcome.node);
      applied.push(...outcome.applied);
    }
  }
  return diagnostics.length > 0 ? { diagnostics } : { doc: { ...parsed.data, nodes }, applied };
}

function migrateNode(
  defs: NodeDefs,
  id: string,
  node: PipelineNode,
): { readonly node: PipelineNode; readonly applied: readonly string[] } | { readonly diagnostic: Diagnostic } {
  const def = own(defs, node.type);
  // An unknown type is checkPipeline's to say: the document itself is readable.
  if (!def) return { node, applied: [] };
  if (node.version > def.version) {
    const message = `${id} is a ${def.title} of version ${node.version}; this Edgewright knows ${def.version}.`;
    return { diagnostic: { code: "newer-version", severity: "error", nodeId: id, message, fix: "Update Edgewright." } };
  }
  let params: Record<string, unknown> = node.params;
  const applied: string[] = [];
  for (let version = node.version; version < def.version; version++) {
    const step = def.migrations[version];
    if (!step) {
      const message = `${def.title} can no longer read its version ${version}.`;
      return { diagnostic: { code: "too-old", severity: "error", nodeId: id, message, fix: "Add the node anew." } };
    }
    params = step.up(params);
    applied.push(`${node.type}/${step.name}`);
  }
  if (applied.length === 0) return { node, applied };
  const parsed = pipelineDocSchema.shape.nodes.valueType.safeParse({ ...node, version: def.version, params });
  if (parsed.success) return { node: parsed.data, applied };
  const message = `${def.title}: the params after ${applied.join(", ")} are no JSON.`;
  return { diagnostic: { code: "bad-migration", severity: "error", nodeId: id, message } };
}

function withoutDefaults(defs: NodeDefs, node: PipelineNode): PipelineNode {
  const shape = own(defs, node.type)?.params.shape ?? {};
  const text = (value: unknown) => JSON.stringify(sortKeys(value));
  const params = Object.entries(node.params).filter(([name, value]) => {
    const fallback = own(shape, name)?.safeParse(undefined);
    return !fallback?.success || text(fallback.data) !== text(value);
  });
  return { ...node, params: Object.fromEntries(params) };
}

function fail(code: string, message: string, fix: string): Migrated {
  return { diagnostics: [{ code, severity: "error", message, fix }] };
}
