"use client";
/** A node's result with room: opened from the node, and from the inspector at any zoom. */
import { Maximize2, X } from "lucide-react";
import { Dialog } from "radix-ui";
import type { NodeDef } from "../../nodes/define.ts";
import { nodeFaces } from "../../nodes/faces.gen.ts";
import { own } from "../../pipelines/document/own.ts";
import { FaceGuard } from "./FaceGuard.tsx";
import { useEditor } from "./useEditor.ts";
import { useFaceProps } from "./useFaceProps.ts";

interface Props {
  readonly id: string;
  readonly def: NodeDef;
  /** Words on the button; an icon alone where there are none. */
  readonly label?: string;
  readonly className: string;
}

export function LargeResult({ id, def, label, className }: Props) {
  const props = useFaceProps(id, def);
  const title = useEditor((s) => s.history?.doc.nodes[id]?.title) ?? def.title;
  const Face = own(nodeFaces, def.type);
  if (!Face || !props) return null;
  return (
    <Dialog.Root>
      <Dialog.Trigger
        className={className}
        {...(label === undefined && { "aria-label": `Show the result of ${title} large` })}
      >
        <Maximize2 className="icon" /> {label}
      </Dialog.Trigger>
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
  );
}
