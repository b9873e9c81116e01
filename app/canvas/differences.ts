/** What two versions of a pipeline do not share, one row for each thing; positions count once, for all nodes. */
import { type PipelineDoc, type PipelineNode, sortKeys } from "../../pipelines/document/doc.ts";
import { edgeId } from "./flowFromDoc.ts";

export interface Difference {
  readonly what: string;
  readonly mine: string;
  readonly theirs: string;
}

export function differences(mine: PipelineDoc, theirs: PipelineDoc): Difference[] {
  const rows: Difference[] = [];
  const add = (what: string, a: unknown, b: unknown) => {
    if (canonical(a) !== canonical(b)) rows.push({ what, mine: show(a), theirs: show(b) });
  };
  add("target", mine.target, theirs.target);
  let moved = false;
  for (const id of union(Object.keys(mine.nodes), Object.keys(theirs.nodes))) {
    const a = mine.nodes[id];
    const b = theirs.nodes[id];
    if (!a || !b) {
      add(id, a?.type, b?.type);
      continue;
    }
    addNode(add, id, a, b);
    moved ||= canonical(a.position) !== canonical(b.position);
  }
  const wires = [mine.edges.map(edgeId), theirs.edges.map(edgeId)] as const;
  for (const id of union(...wires)) {
    add(
      id.replace(">", " to "),
      wires[0].includes(id) ? "wired" : undefined,
      wires[1].includes(id) ? "wired" : undefined,
    );
  }
  if (moved) rows.push({ what: "positions", mine: "yours", theirs: "moved" });
  return rows;
}

function addNode(
  add: (what: string, a: unknown, b: unknown) => void,
  id: string,
  a: PipelineNode,
  b: PipelineNode,
): void {
  add(`${id} type`, a.type, b.type);
  add(`${id} title`, a.title, b.title);
  for (const name of union(Object.keys(a.params), Object.keys(b.params))) {
    add(`${id}.${name}`, a.params[name], b.params[name]);
  }
}

const union = (a: readonly string[], b: readonly string[]) => [...new Set([...a, ...b])].sort();
const canonical = (value: unknown) => JSON.stringify(sortKeys(value));
const show = (value: unknown) =>
  value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value).slice(0, 60);
