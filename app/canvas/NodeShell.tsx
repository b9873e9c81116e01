"use client";
/** A node on the canvas: the same shell for every type; only its face is its own. */
import { Handle, type NodeProps, Position, useConnection } from "@xyflow/react";
import { memo } from "react";
import type { NodeDef } from "../../nodes/define.ts";
import type { PortKind } from "../../nodes/ports.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import type { PipelineEdge } from "../../pipelines/document/doc.ts";
import { own } from "../../pipelines/document/own.ts";
import { summaryOf } from "../form/formModel.ts";
import { EditableTitle } from "./EditableTitle.tsx";
import type { FlowNode } from "./flowFromDoc.ts";
import { NodeFace } from "./NodeFace.tsx";
import { NodeIcon } from "./NodeIcon.tsx";
import { PortSymbol } from "./PortSymbol.tsx";
import { StateBadge } from "./StateBadge.tsx";
import { currentDoc, editor, useEditor } from "./useEditor.ts";
import { useHeadline } from "./useHeadline.ts";
import { useNodeView } from "./useNodeView.ts";

const NO_PARAMS = {};

export const NodeShell = memo(function NodeShell({ id, data, selected }: NodeProps<FlowNode>) {
  const def = own(nodeDefs, data.type);
  const params = useEditor((s) => s.history?.doc.nodes[id]?.params ?? NO_PARAMS);
  const view = useNodeView(id);
  const headline = useHeadline(id);
  const model = useEditor((s) => settingsFrom(def, id, s.history?.doc.edges));
  const summary = model ? `as ${model}` : def ? summaryOf(def, params) : `${data.type} is no node type of this version`;
  const category = def ? `cat-${def.category.toLowerCase()}` : "";
  const label = `${data.label}${view.state === "idle" ? "" : `, ${view.state} ${view.word}`}`;
  const rename = (title: string) => editor.apply([{ op: "title", node: id, title: title === def?.title ? "" : title }]);
  return (
    <article
      className={`node ${category} is-${view.state} ${selected ? "selected" : ""}`}
      data-testid={`node-${id}`}
      data-state={view.state}
      aria-label={label}
    >
      <header>
        <NodeIcon name={def?.icon ?? "circle-help"} />
        <EditableTitle title={data.label} onTitle={rename} />
        <StateBadge view={view} />
      </header>
      <p className="summary cut">{summary}</p>
      <div className="face">{def && <NodeFace id={id} def={def} view={view} />}</div>
      <p className="headline cut">{headline || summary}</p>
      {def && <Ports id={id} def={def} />}
    </article>
  );
});

function Ports({ id, def }: { readonly id: string; readonly def: NodeDef }) {
  const wired = useEditor((s) => wiredPorts(id, s.history?.doc.edges)).split(" ");
  const inputs = Object.entries(def.inputs);
  const outputs = Object.entries(def.outputs);
  return (
    <div className="ports">
      {Array.from({ length: Math.max(inputs.length, outputs.length) }, (_, row) => {
        const [input, output] = [inputs[row], outputs[row]];
        const filled = (side: string, port: string) => wired.includes(`${side}:${port}`);
        return (
          <div className="port-row" key={`${input?.[0]} ${output?.[0]}`}>
            {input && (
              <Port
                node={id}
                name={input[0]}
                side="in"
                kinds={input[1].kinds}
                open={input[1].optional === true && !filled("in", input[0])}
                doc={input[1].doc}
              />
            )}
            {output && (
              <Port
                node={id}
                name={output[0]}
                side="out"
                kinds={[output[1].kind]}
                open={!filled("out", output[0])}
                doc={output[1].doc}
              />
            )}
          </div>
        );
      })}
    </div>
  );
}

/** The node that a node which passes settings on takes them from: its own parameters then say nothing. */
function settingsFrom(def: NodeDef | undefined, id: string, edges: readonly PipelineEdge[] = []): string | undefined {
  if (!def?.inputs.settings || !def.outputs.settings) return undefined;
  return edges.find(({ to }) => to === `${id}.settings`)?.from.split(".")[0];
}

/** As one string, so that a store's subscriber can compare it. */
function wiredPorts(id: string, edges: readonly { from: string; to: string }[] = []): string {
  const mine = edges.flatMap(({ from, to }) => [
    ...(from.startsWith(`${id}.`) ? [`out:${from.slice(id.length + 1)}`] : []),
    ...(to.startsWith(`${id}.`) ? [`in:${to.slice(id.length + 1)}`] : []),
  ]);
  return mine.join(" ");
}

interface PortProps {
  readonly node: string;
  readonly name: string;
  readonly side: "in" | "out";
  readonly kinds: readonly PortKind[];
  readonly open: boolean;
  readonly doc: string;
}

function Port({ node, name, side, kinds, open, doc }: PortProps) {
  const fit = useFit(node, side, kinds);
  const kind = kinds[0] ?? "report";
  return (
    <span className={`port ${side} k-${kind} ${open ? "open" : ""} ${fit}`} title={`${kinds.join(" or ")}: ${doc}`}>
      <Handle
        type={side === "in" ? "target" : "source"}
        position={side === "in" ? Position.Left : Position.Right}
        id={name}
        data-testid={`port-${side}-${node}-${name}`}
        role="img"
        aria-label={`${side === "in" ? "Input" : "Output"} ${name}, ${kinds.join(" or ")}`}
      >
        <PortSymbol kind={kind} />
      </Handle>
      <span>{name}</span>
    </span>
  );
}

/** While a wire is drawn: whether its loose end would fit here by kind. */
function useFit(node: string, side: "in" | "out", kinds: readonly PortKind[]): "" | "fit" | "unfit" {
  return useConnection((connection) => {
    if (!connection.inProgress) return "";
    const { nodeId, id, type } = connection.fromHandle;
    if (nodeId === node && id !== null && type === (side === "in" ? "target" : "source")) return "";
    if ((type === "source") === (side === "out") || nodeId === node) return "unfit";
    const def = nodeDefs[currentDoc()?.nodes[nodeId]?.type ?? ""];
    const other = type === "source" ? [def?.outputs[id ?? ""]?.kind] : (def?.inputs[id ?? ""]?.kinds ?? []);
    return kinds.some((kind) => other.includes(kind)) ? "fit" : "unfit";
  });
}
