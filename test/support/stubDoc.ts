/** A document of stub nodes; an edge is "node.port -> node.port". */
type Nodes = Record<string, { type: string; params?: Record<string, unknown> }>;

export function doc(nodes: Nodes, edges: readonly string[] = []) {
  return {
    format: "edgewright.pipeline",
    version: 1,
    name: "test",
    nodes: Object.fromEntries(Object.entries(nodes).map(([id, node]) => [id, { version: 1, ...node }])),
    edges: edges.map((edge) => {
      const [from, to] = edge.split(" -> ");
      return { from, to };
    }),
  };
}
