"use client";
/** Two versions of one pipeline: shows what differs, and whichever is not chosen is saved under a name of its own. */
import { AlertDialog } from "radix-ui";
import { create } from "zustand";
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import { differences } from "../canvas/differences.ts";
import { editor, useEditor } from "../canvas/useEditor.ts";
import { messageOf } from "./sentence.ts";
import { say } from "./useNotices.ts";

/** The version that the user wants to decide about later. */
const useLater = create<{ readonly later: PipelineDoc | undefined }>(() => ({ later: undefined }));
export const decideNow = () => useLater.setState({ later: undefined });

export function ConflictDialog() {
  const mine = useEditor((s) => s.history?.doc);
  const theirs = useEditor((s) => s.theirs?.doc);
  const later = useLater((s) => s.later);
  if (!mine || !theirs || later === theirs) return null;
  const resolve = (keep: "mine" | "theirs") => {
    editor.resolve(keep).then(
      (name) => say({ tone: "info", text: `The other version is kept as ${name}.` }),
      (error) => say({ tone: "bad", text: messageOf(error) }),
    );
  };
  return (
    <AlertDialog.Root open onOpenChange={(open) => !open && useLater.setState({ later: theirs })}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="overlay" />
        <AlertDialog.Content className="dialog" data-testid="conflict">
          <AlertDialog.Title>{mine.name} was changed elsewhere</AlertDialog.Title>
          <div className="dialog-body">
            <AlertDialog.Description className="muted">
              Yours and the saved version differ. Nothing is lost: the one you do not keep is saved as a copy.
            </AlertDialog.Description>
            <table>
              <thead>
                <tr>
                  <th>What</th>
                  <th>Yours</th>
                  <th>Saved</th>
                </tr>
              </thead>
              <tbody>
                {differences(mine, theirs).map((row) => (
                  <tr key={row.what}>
                    <td className="mono">{row.what}</td>
                    <td>{row.mine}</td>
                    <td>{row.theirs}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <div className="row justify-end">
              <AlertDialog.Cancel className="btn quiet">Decide later</AlertDialog.Cancel>
              <button type="button" className="btn" data-testid="keep-theirs" onClick={() => resolve("theirs")}>
                Take the saved one
              </button>
              <button type="button" className="btn primary" data-testid="keep-mine" onClick={() => resolve("mine")}>
                Keep mine
              </button>
            </div>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
