/**
 * The document being edited, as a store without a browser: history, selection, and saving a moment after the last edit.
 * One save is under way at a time; it carries the revision it is based on, and where the server has moved on, both
 * versions are kept until the user has chosen (`resolve`), the one not chosen under a name of its own.
 */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { PipelineDoc, PipelineEdge } from "../../pipelines/document/doc.ts";
import type { Edit } from "../../pipelines/document/edit.ts";
import { messageOf } from "../shell/sentence.ts";
import { edit, type History, historyOf, redo, undo } from "./history.ts";

export interface Version {
  readonly doc: PipelineDoc;
  readonly revision: string;
}
export type SaveResult = { readonly revision: string } | { readonly conflict: true };

/** What the editor needs of the server. */
export interface EditorApi {
  readonly save: (doc: PipelineDoc, baseRevision: string | null) => Promise<SaveResult>;
  /** Undefined where there is no such pipeline. */
  readonly get: (name: string) => Promise<Version | undefined>;
}

export type SaveState = "saved" | "unsaved" | "saving" | "failed" | "conflict";
export interface Selection {
  readonly nodes: ReadonlySet<string>;
  readonly edges: readonly PipelineEdge[];
}

export interface EditorState {
  /** Undefined until a pipeline is loaded. */
  readonly history: History | undefined;
  /** Null for a pipeline that was never saved. */
  readonly revision: string | null;
  readonly saveState: SaveState;
  readonly saveError: string | undefined;
  readonly theirs: Version | undefined;
  readonly selection: Selection;
}

export interface Editor {
  readonly store: StoreApi<EditorState>;
  readonly load: (doc: PipelineDoc, revision: string | null) => void;
  /** Leaves no pipeline in hand. */
  readonly close: () => void;
  readonly apply: (edits: readonly Edit[], label?: string) => void;
  readonly undo: () => void;
  readonly redo: () => void;
  readonly select: (nodes: Iterable<string>, edges?: readonly PipelineEdge[]) => void;
  /** Saves now what waits to be saved. */
  readonly flush: () => Promise<void>;
  /** Ends a conflict: the version kept stays under its name, the other is saved under the name that is returned. */
  readonly resolve: (keep: "mine" | "theirs") => Promise<string>;
}

const REMOVED = "The file was removed elsewhere. Saving again makes it anew.";
const NOTHING: Selection = { nodes: new Set(), edges: [] };

/** Delays until a save that failed is tried again. */
const RETRY_AFTER = 10;

export function createEditor(api: EditorApi, delayMs = 500): Editor {
  const store = createStore<EditorState>(() => ({
    history: undefined,
    revision: null,
    saveState: "saved",
    saveError: undefined,
    theirs: undefined,
    selection: NOTHING,
  }));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let saves = Promise.resolve();

  function change(next: (history: History) => History): void {
    const { history, saveState } = store.getState();
    if (!history) return;
    const changed = next(history);
    if (changed.doc === history.doc) return;
    store.setState({ history: changed, ...(saveState !== "conflict" && { saveState: "unsaved" }) });
    clearTimeout(timer);
    timer = setTimeout(flush, delayMs);
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    saves = saves.then(save);
    return saves;
  }

  async function save(): Promise<void> {
    const { history, revision, saveState } = store.getState();
    if (!history || saveState === "saved" || saveState === "conflict") return;
    const { doc } = history;
    // What is true when the answer comes may be another pipeline, or a newer document of this one.
    const current = () => store.getState().history?.doc;
    const sameName = () => current()?.name === doc.name;
    store.setState({ saveState: "saving", saveError: undefined });
    try {
      const result = await api.save(doc, revision);
      if (!sameName()) return;
      if ("conflict" in result) {
        const theirs = await api.get(doc.name);
        if (theirs) store.setState({ saveState: "conflict", theirs });
        else store.setState({ saveState: "failed", saveError: REMOVED, revision: null });
      } else if (current() === doc) {
        store.setState({ revision: result.revision, saveState: "saved" });
      } else {
        store.setState({ revision: result.revision, saveState: "unsaved" });
      }
    } catch (error) {
      if (!sameName()) return;
      store.setState({ saveState: "failed", saveError: messageOf(error) });
      // The server may be back before the next edit.
      timer = setTimeout(flush, RETRY_AFTER * delayMs);
    }
  }

  function load(doc: PipelineDoc, revision: string | null): void {
    clearTimeout(timer);
    store.setState({
      history: historyOf(doc),
      revision,
      saveState: revision === null ? "unsaved" : "saved",
      saveError: undefined,
      theirs: undefined,
      selection: NOTHING,
    });
  }

  async function resolve(keep: "mine" | "theirs"): Promise<string> {
    const { history, theirs } = store.getState();
    if (!history || !theirs) return "";
    const mine = history.doc;
    const other = keep === "mine" ? theirs.doc : mine;
    const name = await saveUnderFreeName(api, other);
    if (keep === "theirs") {
      load(theirs.doc, theirs.revision);
    } else {
      store.setState({ revision: theirs.revision, theirs: undefined, saveState: "unsaved" });
      await flush();
    }
    return name;
  }

  return {
    store,
    load,
    close: () => store.setState({ history: undefined, revision: null, saveState: "saved", selection: NOTHING }),
    apply: (edits, label) => change((history) => edit(history, edits, label)),
    undo: () => change(undo),
    redo: () => change(redo),
    select: (nodes, edges = []) => store.setState({ selection: { nodes: new Set(nodes), edges } }),
    flush,
    resolve,
  };
}

/** `NAME-copy`, `NAME-copy-2`...: the first that nobody has. */
export async function saveUnderFreeName(api: Pick<EditorApi, "save">, doc: PipelineDoc): Promise<string> {
  for (let i = 1; i < 100; i++) {
    const name = `${doc.name}-copy${i === 1 ? "" : `-${i}`}`;
    const result = await api.save({ ...doc, name }, null);
    if (!("conflict" in result)) return name;
  }
  throw new Error(`There are 99 copies of ${doc.name} already. Remove some.`);
}
