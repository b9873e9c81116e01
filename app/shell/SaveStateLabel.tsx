"use client";
/** Whether the server has what the canvas shows. */
import { Check, CircleAlert, Loader } from "lucide-react";
import type { SaveState } from "../canvas/editor.ts";
import { editor, useEditor } from "../canvas/useEditor.ts";
import { decideNow } from "./ConflictDialog.tsx";

const WORDS: Record<SaveState, string> = {
  saved: "saved",
  unsaved: "editing",
  saving: "saving",
  failed: "not saved",
  conflict: "changed elsewhere",
};

export function SaveStateLabel() {
  const state = useEditor((s) => s.saveState);
  const why = useEditor((s) => s.saveError);
  const loaded = useEditor((s) => s.history !== undefined);
  if (!loaded) return null;
  return (
    <span className="row hint save-state" data-testid="save-state" data-state={state} role="status" title={why}>
      {state === "saved" && <Check className="icon good" />}
      {(state === "unsaved" || state === "saving") && <Loader className="icon" />}
      {(state === "failed" || state === "conflict") && <CircleAlert className="icon bad" />}
      {WORDS[state]}
      {state === "conflict" && (
        <button type="button" className="btn small" data-testid="decide" onClick={decideNow}>
          Decide
        </button>
      )}
      {state === "failed" && (
        <button type="button" className="btn small" onClick={() => void editor.flush()}>
          Save again
        </button>
      )}
    </span>
  );
}
