"use client";
/** What stands in a node's middle: its face, or what is wrong with it, in one sentence and with the way to mend it. */
import { Maximize2, X } from "lucide-react";
import { Dialog } from "radix-ui";
import { Component, type ReactNode, useMemo, useState } from "react";
import type { NodeDef } from "../../nodes/define.ts";
import type { FaceProps } from "../../nodes/face.ts";
import { nodeFaces } from "../../nodes/faces.gen.ts";
import { PORT_KINDS } from "../../nodes/ports.ts";
import { parseParams } from "../../pipelines/document/check.ts";
import type { RunOutput } from "../../pipelines/document/events.ts";
import { own } from "../../pipelines/document/own.ts";
import { shownStep, useRun } from "../runs/runStore.ts";
import { artifactUrl } from "../shell/upload.ts";
import { Fault } from "./Fault.tsx";
import { IdleFace } from "./IdleFace.tsx";
import { nearestResult, resultBelow, resultBeside } from "./nearestResult.ts";
import type { NodeView } from "./nodeView.ts";
import { currentDoc, editor, useEditor } from "./useEditor.ts";
import { useReport } from "./useReport.ts";

interface Props {
  readonly id: string;
  readonly def: NodeDef;
  readonly view: NodeView;
}

export function NodeFace({ id, def, view }: Props) {
  const [large, setLarge] = useState(false);
  const props = useFaceProps(id, def);
  const title = useEditor((s) => s.history?.doc.nodes[id]?.title) ?? def.title;
  const Face = own(nodeFaces, def.type);
  if (view.error) return <Fault id={id} view={view} />;
  if (!Face || !props) return null;
  const told = props.report !== undefined || props.previews.length > 0 || Object.keys(props.outputs).length > 0;
  if (!told && view.state === "idle") return <IdleFace id={id} def={def} params={props.params} />;
  return (
    <>
      <div className="face-scale">
        <FaceGuard resetKey={props.report}>
          <Face {...props} large={false} />
        </FaceGuard>
      </div>
      {view.state === "stale" && <span className="was">was</span>}
      {told && (
        <button
          type="button"
          className="btn small enlarge nodrag"
          aria-label={`Show the result of ${title} large`}
          onClick={() => setLarge(true)}
        >
          <Maximize2 className="icon" />
        </button>
      )}
      <Dialog.Root open={large} onOpenChange={setLarge}>
        <Dialog.Portal>
          <Dialog.Overlay className="overlay" />
          <Dialog.Content className={`dialog large cat-${def.category.toLowerCase()}`} aria-describedby={undefined}>
            <header className="row">
              <Dialog.Title className="grow">{title}</Dialog.Title>
              <Dialog.Close className="btn quiet small" aria-label="Close">
                <X className="icon" />
              </Dialog.Close>
            </header>
            <div className="dialog-body large-face">
              <FaceGuard resetKey={props.report}>
                <Face {...props} large />
              </FaceGuard>
            </div>
          </Dialog.Content>
        </Dialog.Portal>
      </Dialog.Root>
    </>
  );
}

const NO_OUTPUTS: Readonly<Record<string, RunOutput>> = {};
const NO_PREVIEWS: readonly { readonly digest: string }[] = [];

function useFaceProps(id: string, def: NodeDef): Omit<FaceProps, "large"> | undefined {
  const node = useEditor((s) => s.history?.doc.nodes[id]);
  const outputs = useRun((s) => shownStep(s, id)?.outputs ?? NO_OUTPUTS);
  const previews = useRun((s) => shownStep(s, id)?.previews ?? NO_PREVIEWS);
  const report = useReport(outputs.report?.digest);
  const run = useRun((s) => s.run);
  return useMemo(() => {
    if (!node) return undefined;
    const parsed = parseParams(def, node);
    return {
      params: "params" in parsed ? parsed.params : node.params,
      outputs: artifactsOf(outputs),
      report,
      previews: previews.map((preview) => artifactUrl(preview.digest)),
      artifactUrl,
      upstream: (kind) => nearestResult(currentDoc(), run, id, kind),
      downstream: (kind) => resultBelow(currentDoc(), run, id, kind),
      beside: (kind) => resultBeside(currentDoc(), run, id, kind),
      setParam: (name, value) => editor.apply([{ op: "param", node: id, name, value: jsonOf(value) }]),
    };
  }, [node, def, outputs, previews, report, run, id]);
}

function artifactsOf(outputs: Readonly<Record<string, RunOutput>>): FaceProps["outputs"] {
  const known = Object.entries(outputs).flatMap(([port, { kind, digest, size = 0 }]) => {
    const portKind = PORT_KINDS.find((k) => k === kind);
    return portKind ? [[port, { kind: portKind, digest, size }] as const] : [];
  });
  return Object.fromEntries(known);
}

/** A face's value as a document can hold it. */
const jsonOf = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

interface GuardProps {
  /** A new one is a new chance. */
  readonly resetKey: unknown;
  readonly children: ReactNode;
}

/** A face that fails on an unexpected report leaves the rest of the canvas alone. */
class FaceGuard extends Component<GuardProps, { readonly failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  override componentDidUpdate(before: GuardProps) {
    if (this.state.failed && before.resetKey !== this.props.resetKey) this.setState({ failed: false });
  }
  override render() {
    return this.state.failed ? <p className="need">This result cannot be drawn.</p> : this.props.children;
  }
}
