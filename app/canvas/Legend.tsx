"use client";
/** What the marks mean: the kinds of port that this pipeline uses. */
import { isStreamKind, PORT_KINDS } from "../../nodes/ports.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { own } from "../../pipelines/document/own.ts";
import { PortSymbol } from "./PortSymbol.tsx";
import { useEditor } from "./useEditor.ts";

export function Legend() {
  const used = useEditor((s) => {
    const defs = Object.values(s.history?.doc.nodes ?? {}).map((node) => own(nodeDefs, node.type));
    const kinds = new Set(defs.flatMap((def) => Object.values(def?.outputs ?? {}).map((output) => output.kind)));
    return PORT_KINDS.filter((kind) => kinds.has(kind)).join(" ");
  });
  const kinds = PORT_KINDS.filter((kind) => used.split(" ").includes(kind));
  if (kinds.length === 0) return null;
  return (
    <section className="floating legend" aria-label="Kinds of port">
      {kinds.map((kind) => (
        <span key={kind} className={`k-${kind}`}>
          <PortSymbol kind={kind} />
          {kind}
          {isStreamKind(kind) && <i />}
        </span>
      ))}
    </section>
  );
}
