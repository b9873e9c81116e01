"use client";
/** What is wrong with a node, in one sentence; Fix leads to the parameter or the port that mends it. */
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { fieldsOf } from "../form/formModel.ts";
import { sentence } from "../shell/sentence.ts";
import { usePanels } from "../shell/usePanels.ts";
import type { NodeView } from "./nodeView.ts";
import { currentDoc, editor } from "./useEditor.ts";

export function Fault({ id, view }: { readonly id: string; readonly view: NodeView }) {
  const { message, fix, portId } = view.error ?? { message: "", fix: undefined, portId: undefined };
  const [, head = message, rest = ""] = /^(.*?[.:;])\s+(.*)$/s.exec(message) ?? [];
  const text = (
    <p>
      <b>{sentence(head)}</b> <span className="more">{rest}</span>
    </p>
  );
  return (
    <div className={`fault ${view.state === "invalid" ? "wanting" : ""}`} title={fix ? `${message}\n${fix}` : message}>
      {text}
      {fix && (
        <button
          type="button"
          className="btn small nodrag"
          data-testid={`fix-${id}`}
          onClick={() => showFix(id, fix, portId)}
        >
          <span className="less">Fix</span>
          <span className="more cut">Fix: {shortened(fix)}</span>
        </button>
      )}
    </div>
  );
}

const shortened = (fix: string) => fix.charAt(0).toLowerCase() + fix.slice(1).replace(/\.$/, "");

/** Selects the node and puts the cursor where the fix is made: the port, or the parameter spoken of, else the first. */
function showFix(id: string, fix: string, port: string | undefined): void {
  editor.select([id]);
  usePanels.setState({ drawer: "inspector" });
  const def = nodeDefs[currentDoc()?.nodes[id]?.type ?? ""];
  const names = def ? fieldsOf(def) : [];
  const spoken = fix.toLowerCase();
  const field = names.find((f) => spoken.includes(f.name.toLowerCase()) || spoken.includes(f.title.toLowerCase()));
  const target = field ?? names[0];
  const place = port === undefined ? `param-${target?.name}` : `wire-in-${port}`;
  setTimeout(() => document.getElementById(place)?.focus(), 60);
}
