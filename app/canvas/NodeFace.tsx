"use client";
/** What stands in a node's middle: its face, or what is wrong with it, in one sentence and with the way to mend it. */
import type { NodeDef } from "../../nodes/define.ts";
import { nodeFaces } from "../../nodes/faces.gen.ts";
import { own } from "../../pipelines/document/own.ts";
import { FaceGuard } from "./FaceGuard.tsx";
import { Fault } from "./Fault.tsx";
import { IdleFace } from "./IdleFace.tsx";
import { LargeResult } from "./LargeResult.tsx";
import type { NodeView } from "./nodeView.ts";
import { useFaceProps } from "./useFaceProps.ts";

interface Props {
  readonly id: string;
  readonly def: NodeDef;
  readonly view: NodeView;
}

export function NodeFace({ id, def, view }: Props) {
  const props = useFaceProps(id, def);
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
      {told && <LargeResult id={id} def={def} className="btn small enlarge nodrag" />}
    </>
  );
}
