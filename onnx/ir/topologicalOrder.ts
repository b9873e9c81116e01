import type { Graph, Node } from "./graph.ts";

/** The nodes, each after what it and its bodies read, otherwise as they stand; throws where the graph has a cycle. */
export function topologicalOrder(graph: Graph): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const listed = new Set(graph.nodes);
  for (const root of graph.nodes) {
    const stack: { node: Node; next: number; needs: Node[] }[] = [];
    const enter = (node: Node) => {
      if (state.get(node) === "done") return;
      if (state.get(node) === "open") throw new Error(`the graph has a cycle through "${node.name || node.opType}"`);
      state.set(node, "open");
      stack.push({ node, next: 0, needs: [...producersRead(node, graph)].filter((need) => listed.has(need)) });
    };
    enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const need = top.needs[top.next++];
      if (need) enter(need);
      else {
        state.set(top.node, "done");
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/** Producers in `graph` of what a node reads, its subgraphs included. */
function* producersRead(node: Node, graph: Graph): Generator<Node> {
  for (const value of node.inputs) if (value?.producer && value.graph === graph) yield value.producer;
  for (const sub of node.subgraphs) {
    for (const inner of sub.nodes) yield* producersRead(inner, graph);
    for (const out of sub.outputs) if (out.producer && out.graph === graph) yield out.producer;
  }
}
