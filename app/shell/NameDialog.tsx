"use client";
/** Asks for a name and does one thing with it. `mustBe` makes it a confirmation. */
import { Dialog } from "radix-ui";
import { type FormEvent, useState } from "react";
import { pipelineDocSchema } from "../../pipelines/document/doc.ts";
import { messageOf } from "./sentence.ts";

interface Props {
  readonly title: string;
  readonly text?: string;
  readonly initial: string;
  readonly mustBe?: string;
  readonly action: string;
  readonly onClose: () => void;
  readonly onName: (name: string) => Promise<unknown>;
}

export function NameDialog({ title, text, initial, mustBe, action, onClose, onName }: Props) {
  const [name, setName] = useState(initial);
  const [failure, setFailure] = useState<string>();
  const fits = mustBe === undefined ? pipelineDocSchema.shape.name.safeParse(name).success : name === mustBe;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onName(name).then(onClose, (error) => setFailure(messageOf(error)));
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog" aria-describedby={undefined}>
          <Dialog.Title>{title}</Dialog.Title>
          <form onSubmit={submit} className="dialog-body">
            {text && <p className="muted">{text}</p>}
            <input
              className="field mono"
              aria-label="Name"
              value={name}
              onChange={(event) => setName(event.target.value)}
              spellCheck={false}
            />
            {!fits && mustBe === undefined && <p className="hint">Small letters, digits and dashes, at most 100.</p>}
            {failure && (
              <p className="bad" role="alert">
                {failure}
              </p>
            )}
            <div className="row justify-end">
              <Dialog.Close className="btn">Keep</Dialog.Close>
              <button type="submit" className="btn primary" disabled={!fits}>
                {action}
              </button>
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
