/** Lays the nodes out from left to right, as one edit. The layout engine is large, so it is loaded when first asked for. */
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { own } from "../../pipelines/document/own.ts";
import { NODE_WIDTH, nodeHeight, portY } from "./nodeGeometry.ts";
import { currentDoc, editor } from "./useEditor.ts";

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.layered.spacing.nodeNodeBetweenLayers": "64",
  "elk.spacing.nodeNode": "44",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

export async function tidy(): Promise<void> {
  const doc = currentDoc();
  if (!doc) return;
  const { default: Elk } = await import("elkjs/lib/elk.bundled.js");
  const children = Object.entries(doc.nodes).map(([id, node]) => {
    const def = own(nodeDefs, node.type);
    const port = (x: number) => (name: string, index: number) => ({
      id: `${id}.${name}.${x}`,
      x,
      y: portY(index),
      width: 0,
      height: 0,
    });
    return {
      id,
      width: NODE_WIDTH,
      height: nodeHeight(def),
      layoutOptions: { "elk.portConstraints": "FIXED_POS" },
      ports: [...Object.keys(def?.inputs ?? {}).map(port(0)), ...Object.keys(def?.outputs ?? {}).map(port(NODE_WIDTH))],
    };
  });
  const ports = new Set(children.flatMap((child) => child.ports.map((port) => port.id)));
  const edges = doc.edges
    .map(({ from, to }) => ({ id: `${from}>${to}`, sources: [`${from}.${NODE_WIDTH}`], targets: [`${to}.0`] }))
    .filter((edge) => [...edge.sources, ...edge.targets].every((port) => ports.has(port)));
  const laid = await new Elk().layout({ id: "root", layoutOptions: OPTIONS, children, edges });
  const positions = Object.fromEntries(
    (laid.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x: Math.round(x), y: Math.round(y) }]),
  );
  if (currentDoc() === doc) editor.apply([{ op: "move", positions }], "tidy the layout");
}
