"use client";
/** A node that has not run: it asks for the file it works on, else says what it will do. */
import type { NodeDef } from "../../nodes/define.ts";
import { chooseSource } from "../form/chooseSource.ts";
import { fieldsOf, type SourceKind } from "../form/formModel.ts";
import { editor } from "./useEditor.ts";

const ASK: Record<SourceKind, string> = {
  model: "Choose a model",
  images: "Choose a folder of images",
  labels: "Choose labels",
  video: "Choose a video",
  file: "Choose a file",
};

interface Props {
  readonly id: string;
  readonly def: NodeDef;
  readonly params: Readonly<Record<string, unknown>>;
}

export function IdleFace({ id, def, params }: Props) {
  const wanted = fieldsOf(def).find((f) => f.field.kind === "source");
  if (wanted?.field.kind !== "source" || params[wanted.name] !== "") {
    return <p className="need more">{/^[^.]*\./.exec(def.doc)?.[0] ?? def.doc}</p>;
  }
  const { source } = wanted.field;
  const choose = async () => {
    const value = await chooseSource(source, source === "images");
    if (value) editor.apply([{ op: "param", node: id, name: wanted.name, value }]);
  };
  return (
    <div className="need">
      <button type="button" className="btn small nodrag" data-testid={`choose-${id}`} onClick={() => void choose()}>
        <span className="more">{ASK[source]}</span>
        <span className="less">Choose</span>
      </button>
    </div>
  );
}
