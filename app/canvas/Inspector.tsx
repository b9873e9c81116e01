"use client";
/** Everything of the selected node: parameters, ports, last result, what it does. With none selected, the pipeline's. */
import { CircleAlert, CornerDownLeft, Ellipsis, Info, X } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { Diagnostic, NodeDef } from "../../nodes/define.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import type { PipelineNode } from "../../pipelines/document/doc.ts";
import { own } from "../../pipelines/document/own.ts";
import { ParamForm } from "../form/ParamForm.tsx";
import { LastResult } from "../results/LastResult.tsx";
import { startRun } from "../runs/runStore.ts";
import { Keys } from "../shell/Keys.tsx";
import { usePanels } from "../shell/usePanels.ts";
import { deleteSelection, duplicateSelection } from "./actions.ts";
import { EditableTitle } from "./EditableTitle.tsx";
import { NodeIcon } from "./NodeIcon.tsx";
import { PortList } from "./PortList.tsx";
import { Resizer } from "./Resizer.tsx";
import { StateBadge } from "./StateBadge.tsx";
import { editor, useDoc, useEditor } from "./useEditor.ts";
import { useNodeProblems, useNodeView } from "./useNodeView.ts";

/** The node whose details are shown. */
export function useInspected(): string | undefined {
  return useEditor(({ selection, history }) => {
    const [id] = selection.nodes;
    return selection.nodes.size === 1 && id !== undefined && history?.doc.nodes[id] ? id : undefined;
  });
}

export function Inspector() {
  const id = useInspected();
  const node = useDoc()?.nodes[id ?? ""];
  const open = usePanels((s) => s.drawer === "inspector");
  if (!id || !node) return null;
  const def = own(nodeDefs, node.type);
  return (
    <aside
      className={`inspector ${def ? `cat-${def.category.toLowerCase()}` : ""} ${open ? "open" : ""}`}
      aria-label="Inspector"
      data-testid="inspector"
    >
      <Resizer panel="inspector" />
      {def ? <NodeDetails key={id} id={id} node={node} def={def} /> : <UnknownNode node={node} />}
    </aside>
  );
}

interface DetailsProps {
  readonly id: string;
  readonly node: PipelineNode;
  readonly def: NodeDef;
}

function NodeDetails({ id, node, def }: DetailsProps) {
  const view = useNodeView(id);
  const problems = useNodeProblems(id);
  const changed = Object.keys(node.params).length;
  return (
    <>
      <header>
        <NodeIcon name={def.icon} />
        <EditableTitle
          title={node.title ?? def.title}
          onTitle={(title) => editor.apply([{ op: "title", node: id, title: title === def.title ? "" : title }])}
        />
        <StateBadge view={view} />
        <NodeMenu id={id} />
        <button
          type="button"
          className="btn quiet small drawer-only"
          aria-label="Close"
          onClick={() => usePanels.setState({ drawer: undefined })}
        >
          <X className="icon" />
        </button>
      </header>
      {problems.length > 0 && (
        <section className="grid gap-2">
          {problems.map((problem) => (
            <Problem key={`${problem.code}${problem.portId}${problem.message}`} problem={problem} />
          ))}
        </section>
      )}
      <section>
        <h3>Parameters {changed > 0 && <span>{changed} changed</span>}</h3>
        <ParamForm
          def={def}
          params={node.params}
          onChange={(name, value) => editor.apply([{ op: "param", node: id, name, value }])}
        />
      </section>
      <PortList id={id} def={def} />
      <LastResult id={id} def={def} />
      <section className="doc">
        {def.doc}
        <p className="hint mono">{id}</p>
      </section>
    </>
  );
}

function Problem({ problem }: { readonly problem: Diagnostic }) {
  const error = problem.severity === "error";
  const Icon = error ? CircleAlert : Info;
  return (
    <div className="problem">
      <Icon className={`icon ${error ? "bad" : "warn"}`} />
      <p>
        <b>{problem.message}</b> <span className="muted">{problem.fix}</span>
      </p>
    </div>
  );
}

function NodeMenu({ id }: { readonly id: string }) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="btn quiet small" aria-label="More" data-testid="node-menu">
        <Ellipsis className="icon" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end" sideOffset={4}>
          <DropdownMenu.Item className="menu-item" data-testid="run-to-here" onSelect={() => void startRun({ to: id })}>
            <CornerDownLeft className="icon" /> Run to here
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item" onSelect={duplicateSelection}>
            <span className="grow">Duplicate</span> <Keys keys="mod+d" className="hint" />
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item bad" onSelect={deleteSelection}>
            <span className="grow">Delete</span> <Keys keys="delete" className="hint" />
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function UnknownNode({ node }: { readonly node: PipelineNode }) {
  return (
    <>
      <header>
        <h2 className="grow cut">{node.title ?? node.type}</h2>
      </header>
      <section className="doc">
        This Edgewright has no node type <span className="mono">{node.type}</span>. Its parameters are kept as they are.
        <pre className="mono">{JSON.stringify(node.params, null, 2)}</pre>
      </section>
    </>
  );
}
