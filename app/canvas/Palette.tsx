"use client";
/** Every node type by category, found by typing, dragged or clicked onto the canvas. */
import { ChevronsLeft, ChevronsRight, Search } from "lucide-react";
import { type DragEvent, useState } from "react";
import type { Category, NodeDef } from "../../nodes/define.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { Keys } from "../shell/Keys.tsx";
import { Tip } from "../shell/Tip.tsx";
import { usePanels } from "../shell/usePanels.ts";
import { addNode } from "./actions.ts";
import { centreOfView } from "./centreOfView.ts";
import { NodeIcon } from "./NodeIcon.tsx";
import { Resizer } from "./Resizer.tsx";

/** What a dragged palette item carries. */
export const NODE_MIME = "application/x-edgewright-node";
const CATEGORIES: readonly Category[] = ["Source", "Optimise", "Compile", "Vision", "Report"];
/** The order of use; a type that is not here follows, by its name. */
const ORDER = [
  ...["load-model", "export-pytorch", "load-images", "load-video", "load-scene"],
  ...["simplify", "prune", "calibrate", "quantize"],
  ...["compile-onnxruntime", "compile-tensorrt"],
  ...["preprocess", "infer", "nms", "annotate"],
  ...["evaluate", "agreement", "profile", "compare", "export"],
];
const place = ({ type }: NodeDef) => (ORDER.includes(type) ? ORDER.indexOf(type) : ORDER.length);

export function Palette() {
  const [query, setQuery] = useState("");
  const collapsed = usePanels((s) => s.collapsed);
  const open = usePanels((s) => s.drawer === "palette");
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (def: NodeDef) => {
    const text = `${def.title} ${def.type} ${def.category} ${def.doc}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const found = Object.values(nodeDefs)
    .filter(matches)
    .sort((a, b) => place(a) - place(b));
  return (
    <aside className={`palette ${collapsed ? "collapsed" : ""} ${open ? "open" : ""}`} aria-label="Nodes">
      {!collapsed && (
        <label className="field">
          <Search className="icon" />
          <input
            data-testid="palette-search"
            aria-label="Search nodes"
            placeholder="Add node"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            onKeyDown={(event) => event.key === "Enter" && found[0] && add(found[0])}
          />
          <Keys keys="mod+k" className="hint" />
        </label>
      )}
      {CATEGORIES.map((category) => {
        const defs = found.filter((def) => def.category === category);
        if (defs.length === 0) return null;
        return (
          <section key={category} className={`cat-${category.toLowerCase()}`}>
            <h2>{!collapsed && category}</h2>
            {defs.map((def) => (
              <PaletteItem key={def.type} def={def} collapsed={collapsed} />
            ))}
          </section>
        );
      })}
      {found.length === 0 && <p className="hint">No node does that yet.</p>}
      <Tip text={collapsed ? "Show names" : "Icons only"} side="right">
        <button
          type="button"
          className="palette-item collapse"
          aria-label={collapsed ? "Show names" : "Icons only"}
          onClick={() => usePanels.setState({ collapsed: !collapsed })}
        >
          {collapsed ? <ChevronsRight className="icon" /> : <ChevronsLeft className="icon" />}
        </button>
      </Tip>
      {!collapsed && <Resizer panel="palette" />}
    </aside>
  );
}

function PaletteItem({ def, collapsed }: { readonly def: NodeDef; readonly collapsed: boolean }) {
  const onDragStart = (event: DragEvent) => {
    event.dataTransfer.setData(NODE_MIME, def.type);
    event.dataTransfer.effectAllowed = "copy";
  };
  return (
    <Tip text={collapsed ? `${def.title}. ${def.doc}` : def.doc} side="right">
      <button
        type="button"
        draggable
        className="palette-item"
        data-testid={`palette-item-${def.type}`}
        aria-label={`Add ${def.title}`}
        onDragStart={onDragStart}
        onClick={() => add(def)}
      >
        <NodeIcon name={def.icon} />
        {!collapsed && <span className="cut">{def.title}</span>}
      </button>
    </Tip>
  );
}

function add(def: NodeDef): void {
  addNode(def.type, centreOfView());
  usePanels.setState({ drawer: undefined });
}
