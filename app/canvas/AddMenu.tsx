"use client";
/** A menu at a point of the canvas: the nodes that fit a wire's loose end, likeliest first, or all of them. */
import { Command } from "cmdk";
import { Search } from "lucide-react";
import { Popover } from "radix-ui";
import { isStreamKind } from "../../nodes/ports.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { addFitting, addNode } from "./actions.ts";
import { NodeIcon } from "./NodeIcon.tsx";
import { NODE_WIDTH, type Point, portY } from "./nodeGeometry.ts";
import { currentDoc } from "./useEditor.ts";
import { type Fit, fits, type Loose } from "./wiring.ts";

export interface AddMenuAt {
  readonly screen: Point;
  readonly flow: Point;
  /** Undefined for a menu of every node. */
  readonly loose: Loose | undefined;
}

export function AddMenu({ at, onClose }: { readonly at: AddMenuAt; readonly onClose: () => void }) {
  const doc = currentDoc();
  if (!doc) return null;
  const { loose } = at;
  const found: readonly Fit[] = loose
    ? fits(nodeDefs, doc, loose)
    : Object.values(nodeDefs).map((def) => ({ def, port: "" }));
  const add = (fit: Fit) => {
    if (loose) addFitting(loose, fit, placeFor(fit, loose, at.flow));
    else addNode(fit.def.type, at.flow);
    onClose();
  };
  return (
    <Popover.Root open onOpenChange={(open) => !open && onClose()}>
      <Popover.Anchor className="fixed" style={{ left: at.screen.x, top: at.screen.y }} />
      <Popover.Portal>
        <Popover.Content className="menu" align="start" side="bottom" collisionPadding={8} data-testid="add-menu">
          <Command label="Add a node" loop>
            <div className="field-bare">
              <Search className="icon" />
              <Command.Input placeholder={loose ? promptFor(loose) : "Add node"} />
            </div>
            <Command.List className="menu-scroll">
              <Command.Empty className="menu-item hint">Nothing fits</Command.Empty>
              {found.map((fit, index) => (
                <Command.Item
                  key={fit.def.type}
                  value={`${fit.def.title} ${fit.def.type}`}
                  className={`menu-item cat-${fit.def.category.toLowerCase()}`}
                  data-testid={`add-${fit.def.type}`}
                  onSelect={() => add(fit)}
                >
                  <NodeIcon name={fit.def.icon} />
                  <span className="grow">{fit.def.title}</span>
                  {loose && index === 0 && <span className="hint">best fit</span>}
                </Command.Item>
              ))}
            </Command.List>
          </Command>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

/** The new node's port stands where the wire was dropped. */
function placeFor(fit: Fit, loose: Loose, drop: Point): Point {
  const ports = Object.keys(loose.side === "source" ? fit.def.inputs : fit.def.outputs);
  const x = loose.side === "source" ? drop.x : drop.x - NODE_WIDTH;
  return { x, y: drop.y - portY(Math.max(0, ports.indexOf(fit.port))) };
}

function promptFor(loose: Loose): string {
  const def = nodeDefs[currentDoc()?.nodes[loose.node]?.type ?? ""];
  if (loose.side === "target") return `Gives ${def?.inputs[loose.port]?.kinds.join(" or ")}`;
  const kind = def?.outputs[loose.port]?.kind ?? "report";
  return `Takes ${kind === "images" || kind === "settings" || isStreamKind(kind) ? "" : "a "}${kind}`;
}
