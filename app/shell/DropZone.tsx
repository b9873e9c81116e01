"use client";
/** A file dropped anywhere does the obvious: a model becomes Load model, pictures Load images, a pipeline is opened. */
import { useRouter } from "next/navigation";
import { type DragEvent, type ReactNode, useState } from "react";
import { messageOf } from "./sentence.ts";
import { takeFiles } from "./takeFiles.ts";
import { say } from "./useNotices.ts";

const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");

export function DropZone({ children }: { readonly children: ReactNode }) {
  const [over, setOver] = useState(false);
  const router = useRouter();
  const onDrop = (event: DragEvent) => {
    setOver(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    const below = document.elementsFromPoint(event.clientX, event.clientY);
    const onto = below.map((e) => e.closest<HTMLElement>(".react-flow__node")?.dataset.id).find(Boolean);
    takeFiles(event.dataTransfer, onto).then(
      (name) => name && router.push(`/pipelines/${name}`),
      (error) => say({ tone: "bad", text: messageOf(error) }),
    );
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping has its equals in the menus and forms
    <div
      className="frame"
      onDragOver={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) =>
        event.currentTarget.contains(document.elementFromPoint(event.clientX, event.clientY)) || setOver(false)
      }
      onDrop={onDrop}
    >
      {children}
      {over && <div className="drop-veil">Drop a model (.onnx), images or a pipeline (.json)</div>}
    </div>
  );
}
