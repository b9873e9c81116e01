import { describe, expect, it, vi } from "vitest";
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import { createEditor, type EditorApi } from "./editor.ts";

const doc = (name = "p"): PipelineDoc => ({
  format: "edgewright.pipeline",
  version: 1,
  name,
  target: "local-cpu",
  nodes: { a: { type: "load-model", version: 1, params: {}, position: { x: 0, y: 0 } } },
  edges: [],
});
const move = (x: number) => ({ op: "move", positions: { a: { x, y: 0 } } }) as const;

/** A server in memory with the rule of the real one: a save must be based on the newest revision. */
function memory(...docs: PipelineDoc[]) {
  const versions = new Map(docs.map((d) => [d.name, { doc: d, revision: "r1" }]));
  let count = 1;
  const api: EditorApi = {
    save: async (d, base) => {
      if ((versions.get(d.name)?.revision ?? null) !== base) return { conflict: true };
      const revision = `r${++count}`;
      versions.set(d.name, { doc: d, revision });
      return { revision };
    },
    get: async (name) => versions.get(name),
  };
  return { api, versions };
}

describe("editor", () => {
  it("undoes and redoes every edit under its name", () => {
    const editor = createEditor(memory(doc()).api);
    editor.load(doc(), "r1");
    editor.apply([move(1)]);
    editor.apply([move(2), { op: "title", node: "a", title: "A" }], "two at once");
    const history = () => editor.store.getState().history;
    expect(history()?.past.map((s) => s.label)).toEqual(["move a", "two at once"]);
    editor.undo();
    expect(history()?.doc.nodes.a).toMatchObject({ position: { x: 1, y: 0 } });
    expect(history()?.doc.nodes.a?.title).toBeUndefined();
    editor.redo();
    expect(history()?.doc.nodes.a).toMatchObject({ position: { x: 2, y: 0 }, title: "A" });
    editor.undo();
    editor.undo();
    editor.undo();
    expect(history()?.doc).toEqual(doc());
    editor.apply([move(9)]);
    expect(history()?.future).toEqual([]);
  });

  it("saves the last of several edits, once, on the revision it knows", async () => {
    vi.useFakeTimers();
    const { api, versions } = memory(doc());
    const save = vi.spyOn(api, "save");
    const editor = createEditor(api, 500);
    editor.load(doc(), "r1");
    editor.apply([move(1)]);
    editor.apply([move(2)]);
    expect(editor.store.getState().saveState).toBe("unsaved");
    await vi.advanceTimersByTimeAsync(600);
    expect(save).toHaveBeenCalledTimes(1);
    expect(editor.store.getState()).toMatchObject({ saveState: "saved", revision: "r2" });
    expect(versions.get("p")?.doc.nodes.a?.position.x).toBe(2);
    vi.useRealTimers();
  });

  it("saves again what was edited while a save was under way", async () => {
    const { api, versions } = memory(doc());
    const editor = createEditor(api, 1);
    editor.load(doc(), "r1");
    editor.apply([move(1)]);
    const first = editor.flush();
    editor.apply([move(2)]);
    await first;
    await editor.flush();
    expect(versions.get("p")?.doc.nodes.a?.position.x).toBe(2);
    expect(editor.store.getState().saveState).toBe("saved");
  });

  it.each(["mine", "theirs"] as const)("a conflict loses neither version (keep %s)", async (keep) => {
    const { api, versions } = memory(doc());
    const editor = createEditor(api, 60_000);
    editor.load(doc(), "r1");
    await api.save({ ...doc(), target: "theirs" }, "r1");
    editor.apply([{ op: "target", target: "mine" }]);
    await editor.flush();
    expect(editor.store.getState()).toMatchObject({ saveState: "conflict", theirs: { doc: { target: "theirs" } } });
    const copy = await editor.resolve(keep);
    expect(versions.get("p")?.doc.target).toBe(keep);
    expect(versions.get(copy)?.doc.target).toBe(keep === "mine" ? "theirs" : "mine");
    expect(editor.store.getState()).toMatchObject({ saveState: "saved", theirs: undefined });
  });

  it("makes a pipeline anew that was removed elsewhere", async () => {
    const { api, versions } = memory(doc());
    const editor = createEditor(api, 60_000);
    editor.load(doc(), "r1");
    versions.delete("p");
    editor.apply([move(7)]);
    await editor.flush();
    expect(editor.store.getState().saveState).toBe("failed");
    await editor.flush();
    expect(versions.get("p")?.doc.nodes.a?.position.x).toBe(7);
  });

  it("keeps edits and says why where a save fails", async () => {
    const editor = createEditor({ save: () => Promise.reject(new Error("disk full")), get: memory().api.get }, 60_000);
    editor.load(doc(), "r1");
    editor.apply([move(5)]);
    await editor.flush();
    expect(editor.store.getState()).toMatchObject({ saveState: "failed", saveError: "Disk full" });
    expect(editor.store.getState().history?.doc.nodes.a?.position.x).toBe(5);
  });
});
