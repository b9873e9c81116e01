/** What a user can do to the canvas, as functions for mouse, keys, menus and the command palette alike. */
import type { NodeDef } from "../../nodes/define.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { type PipelineEdge, type PipelineNode, pipelineDocSchema } from "../../pipelines/document/doc.ts";
import type { Edit } from "../../pipelines/document/edit.ts";
import { canConnect, freshNodeId } from "../../pipelines/document/graph.ts";
import { own } from "../../pipelines/document/own.ts";
import { say } from "../shell/useNotices.ts";
import { NODE_WIDTH, nodeHeight, type Point } from "./nodeGeometry.ts";
import { currentDoc, editor } from "./useEditor.ts";
import {
  connectEdit,
  type Fit,
  fits,
  fragmentOf,
  insertEdits,
  insertPorts,
  type Loose,
  newNode,
  pasteEdit,
} from "./wiring.ts";

export interface AddOptions {
  readonly params?: PipelineNode["params"];
  /** The wire that the node is put into. */
  readonly into?: PipelineEdge;
}

/** Adds a node with its top left corner at `position`, and selects it. */
export function addNode(type: string, position: Point, options: AddOptions = {}): string | undefined {
  const doc = currentDoc();
  const def = own(nodeDefs, type);
  if (!doc || !def) return undefined;
  const id = freshNodeId(doc, type);
  const edits: Edit[] = [{ op: "add", nodes: { [id]: newNode(def, position, options.params) }, edges: [] }];
  const ports = options.into && insertPorts(nodeDefs, doc, options.into, def);
  if (options.into && ports) edits.push(...insertEdits(options.into, id, ports));
  editor.apply(edits, `add ${def.title}`);
  editor.select([id]);
  return id;
}

/** Adds a node and wires it to the loose end. */
export function addFitting(loose: Loose, fit: Fit, position: Point): void {
  const doc = currentDoc();
  if (!doc) return;
  const id = freshNodeId(doc, fit.def.type);
  const here = `${id}.${fit.port}`;
  const there = `${loose.node}.${loose.port}`;
  const edge = loose.side === "source" ? { from: there, to: here } : { from: here, to: there };
  editor.apply(
    [{ op: "add", nodes: { [id]: newNode(fit.def, position) }, edges: [] }, connectEdit(nodeDefs, doc, edge)],
    `add ${fit.def.title}`,
  );
  editor.select([id]);
}

/** Tab: the likeliest next node, wired to the first output of the selected one, to its right. */
export function addAfterSelection(pick: (loose: Loose, found: readonly Fit[]) => void): boolean {
  const doc = currentDoc();
  const id = onlySelected();
  const def = id && own(nodeDefs, doc?.nodes[id]?.type ?? "");
  const port = def ? Object.keys(def.outputs)[0] : undefined;
  if (!doc || !id || port === undefined) return false;
  const loose: Loose = { node: id, port, side: "source" };
  pick(loose, fits(nodeDefs, doc, loose));
  return true;
}

export function onlySelected(): string | undefined {
  const { nodes } = editor.store.getState().selection;
  return nodes.size === 1 ? [...nodes][0] : undefined;
}

/** Beside a node, below what stands there already. */
export function placeAfter(id: string): Point {
  const doc = currentDoc();
  const node = doc?.nodes[id];
  if (!doc || !node) return { x: 0, y: 0 };
  const x = node.position.x + NODE_WIDTH + 34;
  let y = node.position.y;
  const taken = (at: number) =>
    Object.values(doc.nodes).some(
      (n) =>
        Math.abs(n.position.x - x) < NODE_WIDTH &&
        at < n.position.y + heightOf(n) &&
        n.position.y < at + heightOf(node),
    );
  while (taken(y)) y += 40;
  return { x, y };
}

const heightOf = (node: PipelineNode) => nodeHeight(own(nodeDefs, node.type));

export function connect(edge: PipelineEdge): void {
  const doc = currentDoc();
  if (!doc) return;
  const verdict = canConnect(nodeDefs, doc, edge);
  if (verdict.ok) editor.apply([connectEdit(nodeDefs, doc, edge)]);
  else say({ tone: "bad", text: verdict.reason });
}

/** A node with no wires that was dropped on one goes into it. */
export function insertInto(edge: PipelineEdge, id: string): void {
  const doc = currentDoc();
  const def: NodeDef | undefined = own(nodeDefs, doc?.nodes[id]?.type ?? "");
  const ports = doc && def && insertPorts(nodeDefs, doc, edge, def);
  if (ports) editor.apply(insertEdits(edge, id, ports), `insert ${def.title}`);
}

export function deleteSelection(): void {
  const { nodes, edges } = editor.store.getState().selection;
  if (nodes.size === 0 && edges.length === 0) return;
  editor.apply([{ op: "remove", nodes: [...nodes], edges }]);
  editor.select([]);
}

export function selectAll(): void {
  editor.select(Object.keys(currentDoc()?.nodes ?? {}));
}

const OFFSET: Point = { x: 40, y: 40 };

export function duplicateSelection(): void {
  const doc = currentDoc();
  const { nodes } = editor.store.getState().selection;
  if (!doc || nodes.size === 0) return;
  const add = pasteEdit(doc, fragmentOf(doc, nodes), OFFSET);
  editor.apply([add], "duplicate");
  editor.select(Object.keys(add.nodes));
}

/** The selection as text for the clipboard: a pipeline of its own, so that it can be pasted anywhere. */
export function copySelection(): string | undefined {
  const doc = currentDoc();
  const { nodes } = editor.store.getState().selection;
  return doc && nodes.size > 0 ? JSON.stringify({ ...doc, ...fragmentOf(doc, nodes) }) : undefined;
}

/** False where the text is no pipeline. */
export function paste(text: string): boolean {
  const doc = currentDoc();
  const parsed = pipelineDocSchema.safeParse(parseJson(text));
  if (!doc || !parsed.success) return false;
  const add = pasteEdit(doc, parsed.data, OFFSET);
  editor.apply([add], "paste");
  editor.select(Object.keys(add.nodes));
  return true;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
