"use client";
import { Cable, Unplug } from "lucide-react";
/** The ports of a node in words; each row opens what it can be wired to, so that wiring needs no mouse. */
import { DropdownMenu } from "radix-ui";
import type { NodeDef } from "../../nodes/define.ts";
import type { PortKind } from "../../nodes/ports.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import type { PipelineDoc, PipelineEdge } from "../../pipelines/document/doc.ts";
import { canConnect } from "../../pipelines/document/graph.ts";
import { own } from "../../pipelines/document/own.ts";
import { bytes } from "../results/format.ts";
import { shapesOf } from "../results/shapes.ts";
import { useRun } from "../runs/runStore.ts";
import { connect } from "./actions.ts";
import { PortSymbol } from "./PortSymbol.tsx";
import { editor, useDoc } from "./useEditor.ts";
import { useReport } from "./useReport.ts";

export function PortList({ id, def }: { readonly id: string; readonly def: NodeDef }) {
  const step = useRun(({ run }) => run.steps[id]);
  const report = useReport(step?.outputs.report?.digest);
  const shapes = shapesOf(report);
  const told = (name: string, kind: PortKind) => {
    const size = step?.outputs[name]?.size;
    if (kind === "model" && shapes) return shapes.output;
    return size === undefined ? "" : bytes(size);
  };
  return (
    <section className="io">
      <h3>Ports</h3>
      {Object.entries(def.inputs).map(([name, port]) => (
        <PortRow key={name} id={id} name={name} side="in" kinds={port.kinds} note={port.optional ? "optional" : ""} />
      ))}
      {Object.entries(def.outputs).map(([name, port]) => (
        <PortRow key={name} id={id} name={name} side="out" kinds={[port.kind]} note={`${told(name, port.kind)} ›`} />
      ))}
    </section>
  );
}

interface RowProps {
  readonly id: string;
  readonly name: string;
  readonly side: "in" | "out";
  readonly kinds: readonly PortKind[];
  readonly note: string;
}

function PortRow({ id, name, side, kinds, note }: RowProps) {
  const doc = useDoc();
  if (!doc) return null;
  const here = `${id}.${name}`;
  const wires = doc.edges.filter((edge) => (side === "in" ? edge.to : edge.from) === here);
  const other = (edge: PipelineEdge) => (side === "in" ? edge.from : edge.to);
  const kind = kinds[0] ?? "report";
  const partners = wires.map((edge) => other(edge).split(".")[0]).join(", ");
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger
        id={`wire-${side}-${name}`}
        className={`io-row ${wires.length === 0 ? "open" : ""}`}
        title={`Wire ${name}`}
      >
        <PortSymbol kind={kind} />
        {name}
        <span className="mono cut">{(side === "in" && partners) || note}</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end" sideOffset={2} collisionPadding={8}>
          {wires.map((edge) => (
            <DropdownMenu.Item
              key={other(edge)}
              className="menu-item"
              onSelect={() => editor.apply([{ op: "remove", nodes: [], edges: [edge] }])}
            >
              <Unplug className="icon" /> Unwire {other(edge)}
            </DropdownMenu.Item>
          ))}
          <p className="menu-title">{side === "in" ? `Takes ${kinds.join(" or ")} from` : `Gives ${kind} to`}</p>
          <div className="menu-scroll">
            {candidates(doc, here, side).map((edge) => (
              <DropdownMenu.Item key={other(edge)} className="menu-item" onSelect={() => connect(edge)}>
                <Cable className="icon" /> {other(edge)}
              </DropdownMenu.Item>
            ))}
          </div>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** Every wire that could be added at this port. */
function candidates(doc: PipelineDoc, here: string, side: "in" | "out"): PipelineEdge[] {
  const ends = Object.entries(doc.nodes).flatMap(([id, node]) => {
    const def = own(nodeDefs, node.type);
    const ports = side === "in" ? def?.outputs : def?.inputs;
    return Object.keys(ports ?? {}).map((port) => `${id}.${port}`);
  });
  const edges = ends.map((end) => (side === "in" ? { from: end, to: here } : { from: here, to: end }));
  return edges.filter((edge) => canConnect(nodeDefs, doc, edge).ok);
}
