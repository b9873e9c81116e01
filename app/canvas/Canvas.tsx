"use client";
/** The canvas: the document drawn by the flow library, and the library's changes turned into edits of the document. */
import {
  type Connection,
  type EdgeChange,
  type FinalConnectionState,
  MiniMap,
  type NodeChange,
  ReactFlow,
  ReactFlowProvider,
  SelectionMode,
  useReactFlow,
} from "@xyflow/react";
import { type DragEvent, useCallback, useMemo, useRef, useState } from "react";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { canConnect } from "../../pipelines/document/graph.ts";
import { own } from "../../pipelines/document/own.ts";
import { usePanels } from "../shell/usePanels.ts";
import { AddMenu, type AddMenuAt } from "./AddMenu.tsx";
import { addNode, connect, insertInto } from "./actions.ts";
import { ConnectionWire, Refusal } from "./ConnectionWire.tsx";
import { EdgeTags } from "./EdgeTags.tsx";
import { edgeId, type FlowEdge, type FlowNode, flowEdges, flowNodes } from "./flowFromDoc.ts";
import { Legend } from "./Legend.tsx";
import { NodeShell } from "./NodeShell.tsx";
import { NODE_WIDTH, nodeBox, type Point } from "./nodeGeometry.ts";
import { NODE_MIME } from "./Palette.tsx";
import { currentDoc, editor, useDoc, useEditor } from "./useEditor.ts";
import { useShortcuts } from "./useShortcuts.ts";
import { Obstacles, Wire } from "./Wire.tsx";
import { WireTip } from "./WireTip.tsx";
import { FIT, ZoomControl, ZoomVariable } from "./ZoomControl.tsx";

const nodeTypes = { node: NodeShell };
const edgeTypes = { wire: Wire };
const NOT_DRAGGED: Readonly<Record<string, Point>> = {};

export function Canvas() {
  return (
    <ReactFlowProvider>
      <Flow />
    </ReactFlowProvider>
  );
}

function Flow() {
  const wrapper = useRef<HTMLDivElement>(null);
  const { screenToFlowPosition } = useReactFlow();
  const [menu, setMenu] = useState<AddMenuAt>();
  const [hovered, setHovered] = useState<{ readonly id: string; readonly at: Point }>();
  const { nodes, edges, boxes, drag, onNodesChange, onEdgesChange } = useFlow();
  // The first node of an empty canvas stays where it was dropped.
  const [fitAtFirst] = useState(nodes.length > 0);
  useShortcuts(setMenu);

  const isValidConnection = useCallback((c: Connection | FlowEdge) => {
    const doc = currentDoc();
    const edge = { from: `${c.source}.${c.sourceHandle}`, to: `${c.target}.${c.targetHandle}` };
    return doc !== undefined && canConnect(nodeDefs, doc, edge).ok;
  }, []);

  const onConnectEnd = (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
    const from = state.fromHandle;
    if (!from?.id || state.toHandle || !(event.target instanceof Element)) return;
    if (!event.target.closest(".react-flow__pane")) return;
    const at = "clientX" in event ? event : event.changedTouches[0];
    if (!at) return;
    const screen = { x: at.clientX, y: at.clientY };
    const loose = { node: from.nodeId, port: from.id, side: from.type };
    setMenu({ screen, flow: screenToFlowPosition(screen), loose });
  };

  const onDrop = (event: DragEvent) => {
    const type = event.dataTransfer.getData(NODE_MIME);
    if (!type) return;
    event.preventDefault();
    event.stopPropagation();
    const at = screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const into = edgeAt({ x: event.clientX, y: event.clientY });
    addNode(type, { x: at.x - NODE_WIDTH / 2, y: at.y - 24 }, { into });
  };

  return (
    <div className="canvas" ref={wrapper} data-testid="canvas">
      <Obstacles value={boxes}>
        <ReactFlow<FlowNode, FlowEdge>
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onNodesChange={onNodesChange}
          onEdgesChange={onEdgesChange}
          onNodeDragStop={(event, node) => {
            drag.end();
            if (!("clientX" in event) || isWired(node.id)) return;
            const edge = edgeAt({ x: event.clientX, y: event.clientY });
            if (edge) insertInto(edge, node.id);
          }}
          onSelectionDragStop={drag.end}
          onNodeClick={() => usePanels.setState({ drawer: "inspector" })}
          onPaneClick={() => usePanels.setState({ drawer: undefined })}
          onConnect={(c) => connect({ from: `${c.source}.${c.sourceHandle}`, to: `${c.target}.${c.targetHandle}` })}
          onConnectEnd={onConnectEnd}
          isValidConnection={isValidConnection}
          onEdgeMouseEnter={(event, edge) => setHovered({ id: edge.id, at: { x: event.clientX, y: event.clientY } })}
          onEdgeMouseLeave={() => setHovered(undefined)}
          onPaneContextMenu={(event) => {
            event.preventDefault();
            const screen = { x: event.clientX, y: event.clientY };
            setMenu({ screen, flow: screenToFlowPosition(screen), loose: undefined });
          }}
          onDrop={onDrop}
          onDragOver={(event) => event.dataTransfer.types.includes(NODE_MIME) && event.preventDefault()}
          connectionLineComponent={ConnectionWire}
          connectionRadius={26}
          selectionMode={SelectionMode.Partial}
          multiSelectionKeyCode="Shift"
          deleteKeyCode={null}
          minZoom={0.15}
          maxZoom={2.5}
          fitView={fitAtFirst}
          fitViewOptions={FIT}
          zoomOnDoubleClick={false}
          elevateNodesOnSelect
          nodeDragThreshold={2}
          proOptions={{ hideAttribution: true }}
        >
          <ZoomVariable wrapper={wrapper} />
          <ZoomControl />
          <Legend />
          <EdgeTags />
          <MiniMap<FlowNode>
            pannable
            zoomable
            nodeColor={miniColor}
            nodeBorderRadius={16}
            style={{ width: 158, height: 104 }}
          />
        </ReactFlow>
      </Obstacles>
      <Refusal />
      {hovered && <WireTip id={hovered.id} at={hovered.at} />}
      {menu && <AddMenu at={menu} onClose={() => setMenu(undefined)} />}
    </div>
  );
}

/** The document as nodes and edges, with the drag under way laid over it; it becomes one edit when it ends. */
function useFlow() {
  const doc = useDoc();
  const selection = useEditor((s) => s.selection);
  const [dragged, setDragged] = useState(NOT_DRAGGED);
  const last = useRef<readonly FlowNode[]>([]);
  const live = useRef(dragged);
  live.current = dragged;

  const nodes = useMemo(() => {
    if (!doc) return [];
    last.current = flowNodes(nodeDefs, doc, { selection, dragged }, last.current);
    return [...last.current];
  }, [doc, selection, dragged]);
  const edges = useMemo(() => (doc ? flowEdges(nodeDefs, doc, selection.edges) : []), [doc, selection.edges]);
  const boxes = useMemo(
    () => Object.values(doc?.nodes ?? {}).map((node) => nodeBox(node.position, own(nodeDefs, node.type))),
    [doc?.nodes],
  );

  const end = useCallback(() => {
    const positions = live.current;
    if (Object.keys(positions).length > 0) editor.apply([{ op: "move", positions }]);
    setDragged(NOT_DRAGGED);
  }, []);

  const onNodesChange = useCallback((changes: NodeChange<FlowNode>[]) => {
    const positions: Record<string, Point> = {};
    let moving = false;
    const selected = new Set(editor.store.getState().selection.nodes);
    for (const change of changes) {
      if (change.type === "position" && change.position) {
        positions[change.id] = { x: Math.round(change.position.x), y: Math.round(change.position.y) };
        moving ||= change.dragging === true;
      }
      if (change.type === "select" && change.selected) selected.add(change.id);
      if (change.type === "select" && !change.selected) selected.delete(change.id);
    }
    if (changes.some((c) => c.type === "select")) editor.select(selected, editor.store.getState().selection.edges);
    if (Object.keys(positions).length === 0) return;
    // Arrow keys move without a drag.
    if (moving || Object.keys(live.current).length > 0) setDragged((before) => ({ ...before, ...positions }));
    else editor.apply([{ op: "move", positions }]);
  }, []);

  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdge>[]) => {
    const { nodes, edges } = editor.store.getState().selection;
    let chosen = edges;
    for (const change of changes) {
      if (change.type !== "select") continue;
      const edge = currentDoc()?.edges.find((e) => edgeId(e) === change.id);
      chosen = chosen.filter((e) => edgeId(e) !== change.id);
      if (change.selected && edge) chosen = [...chosen, edge];
    }
    editor.select(nodes, chosen);
  }, []);

  return { nodes, edges, boxes, drag: { end }, onNodesChange, onEdgesChange };
}

function isWired(id: string): boolean {
  return currentDoc()?.edges.some((e) => e.from.startsWith(`${id}.`) || e.to.startsWith(`${id}.`)) ?? false;
}

/** The wire under a point of the screen, looked for through whatever lies over it. */
function edgeAt({ x, y }: Point) {
  const element = document.elementsFromPoint(x, y).find((e) => e.closest(".react-flow__edge"));
  const id = element?.closest(".react-flow__edge")?.getAttribute("data-id");
  return currentDoc()?.edges.find((edge) => edgeId(edge) === id);
}

function miniColor(node: FlowNode): string {
  const category = own(nodeDefs, node.data.type)?.category.toLowerCase();
  return category ? `var(--cat-${category})` : "var(--border-strong)";
}
