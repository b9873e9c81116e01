/** Whether a document can run, as data: every problem with its node and its fix. Total: never throws, on any document. */
import type { z } from "zod";
import type { CheckInfo, Diagnostic, NodeDef } from "../../nodes/define.ts";
import { nearestName } from "../../onnx/nearestName.ts";
import { type PipelineDoc, type PipelineNode, parseEndpoint } from "./doc.ts";
import { checkWire, type NodeDefs, topologicalOrder } from "./graph.ts";
import { own } from "./own.ts";
import { sourceParams } from "./sources.ts";

/** The node's params with defaults, or what is wrong with them. */
export function parseParams(
  def: NodeDef,
  node: PipelineNode,
): { readonly params: Record<string, unknown> } | { readonly issues: readonly z.core.$ZodIssue[] } {
  const parsed = def.params.safeParse(node.params);
  return parsed.success ? { params: parsed.data } : { issues: parsed.error.issues };
}

export function checkPipeline(defs: NodeDefs, doc: PipelineDoc): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (Object.keys(doc.nodes).length === 0) {
    found.push({
      code: "empty",
      severity: "error",
      message: "The pipeline has no node.",
      fix: "Add a Load model node.",
    });
  }
  found.push(...checkWires(defs, doc));
  for (const [id, node] of Object.entries(doc.nodes)) found.push(...checkNode(defs, doc, id, node));
  const { cycle } = topologicalOrder(doc);
  if (cycle.length > 0) {
    found.push({
      code: "cycle",
      severity: "error",
      nodeId: cycle[0],
      message: `The wires among ${cycle.slice(0, 5).join(", ")} close a circle: no step could run first.`,
      fix: "Remove one of these wires.",
    });
  }
  return found;
}

function checkWires(defs: NodeDefs, doc: PipelineDoc): Diagnostic[] {
  const found: Diagnostic[] = [];
  const taken = new Set<string>();
  const wires = new Set<string>();
  for (const edge of doc.edges) {
    const verdict = checkWire(defs, doc, edge);
    const to = parseEndpoint(edge.to);
    if (!verdict.ok) {
      // An unknown type is said once, by its node.
      if (verdict.code === "unknown-node-type") continue;
      found.push(
        problem(verdict.code, verdict.side, `${edge.from} → ${edge.to}: ${verdict.reason}`, "Remove this wire."),
      );
      continue;
    }
    const many = own(own(defs, own(doc.nodes, to.node)?.type ?? "")?.inputs ?? {}, to.port)?.many === true;
    const pair = `${edge.from} ${edge.to}`;
    if (wires.has(pair)) {
      found.push(problem("duplicate-wire", to, `${edge.from} → ${edge.to} stands twice.`, "Remove one of them."));
    } else if (taken.has(edge.to) && !many) {
      found.push(problem("taken-port", to, `${edge.to} takes one wire and has several.`, "Keep one of them."));
    }
    wires.add(pair);
    taken.add(edge.to);
  }
  return found;
}

function problem(code: string, side: { node: string; port: string }, message: string, fix: string): Diagnostic {
  return { code, severity: "error", nodeId: side.node, portId: side.port, message, fix };
}

function checkNode(defs: NodeDefs, doc: PipelineDoc, id: string, node: PipelineNode): Diagnostic[] {
  const def = own(defs, node.type);
  if (!def) {
    const near = nearestName(node.type, Object.keys(defs));
    const fix = near ? `Did you mean "${near}"? Else update Edgewright or remove the node.` : "Remove the node.";
    const message = `"${node.type}" is no node type of this version.`;
    return [{ code: "unknown-node-type", severity: "error", nodeId: id, message, fix }];
  }
  const found: Diagnostic[] = [];
  for (const [portId, port] of Object.entries(def.inputs)) {
    if (port.optional || port.many || doc.edges.some((edge) => edge.to === `${id}.${portId}`)) continue;
    const message = `${def.title} needs ${port.kinds.join(" or ")} at its input "${portId}".`;
    const givers = Object.values(defs).filter((d) => Object.values(d.outputs).some((o) => port.kinds.includes(o.kind)));
    const fix = `Wire one in, for example from ${givers
      .slice(0, 3)
      .map((d) => d.title)
      .join(", ")}.`;
    found.push({ code: "missing-input", severity: "error", nodeId: id, portId, message, fix });
  }
  const parsed = parseParams(def, node);
  if ("issues" in parsed) {
    return [...found, ...parsed.issues.map((issue) => paramProblem(def, id, issue))];
  }
  for (const { name, title, optional } of sourceParams(def)) {
    if (optional || parsed.params[name] !== "") continue;
    const message = `${def.title} has nothing chosen as its ${title.toLowerCase()}.`;
    const fix = `Choose a file of the workspace for "${name}", or give --set ${id}.${name}=PATH.`;
    found.push({ code: "missing-source", severity: "error", nodeId: id, message, fix });
  }
  const info = checkInfo(defs, doc, id, def);
  for (const said of def.check?.(parsed.params, info) ?? []) found.push({ ...said, nodeId: id });
  return found;
}

function checkInfo(defs: NodeDefs, doc: PipelineDoc, id: string, def: NodeDef): CheckInfo {
  const wired: Record<string, { type: string; params: unknown }[]> = {};
  for (const portId of Object.keys(def.inputs)) {
    wired[portId] = doc.edges.flatMap((edge) => {
      if (edge.to !== `${id}.${portId}`) return [];
      const source = own(doc.nodes, parseEndpoint(edge.from).node);
      const sourceDef = source && own(defs, source.type);
      if (!source || !sourceDef) return [];
      const parsed = parseParams(sourceDef, source);
      return "params" in parsed ? [{ type: source.type, params: parsed.params }] : [];
    });
  }
  return { wired };
}

function paramProblem(def: NodeDef, nodeId: string, issue: z.core.$ZodIssue): Diagnostic {
  const names = Object.keys(def.params.shape);
  if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
    const keys = issue.keys.map((key) => `"${key}"`).join(", ");
    const near = nearestName(issue.keys[0] ?? "", names);
    const fix = `${near ? `Did you mean "${near}"? ` : ""}It knows ${names.join(", ")}.`;
    return {
      code: "unknown-parameter",
      severity: "error",
      nodeId,
      message: `${def.title} has no parameter ${keys}.`,
      fix,
    };
  }
  const path = issue.path.map(String).join(".");
  const message = `Parameter "${path}" of ${def.title}: ${issue.message}.`;
  const fallback = own(def.params.shape, String(issue.path[0]))?.safeParse(undefined);
  const fix = fallback?.success ? `The default is ${JSON.stringify(fallback.data)}.` : undefined;
  return { code: "bad-parameter", severity: "error", nodeId, message, fix };
}
