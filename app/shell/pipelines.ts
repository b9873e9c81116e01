/** What can be done with whole pipelines: each gives the name of the one to show next. */
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { FORMAT, FORMAT_VERSION, type PipelineDoc, serializeDoc } from "../../pipelines/document/doc.ts";
import { migrateDoc } from "../../pipelines/document/migrations.ts";
import { saveUnderFreeName } from "../canvas/editor.ts";
import { currentDoc, editor, editorApi } from "../canvas/useEditor.ts";
import { api, queryClient, trpc } from "../trpc.ts";
import { say } from "./useNotices.ts";

export const emptyPipeline = (name: string): PipelineDoc => ({
  format: FORMAT,
  version: FORMAT_VERSION,
  name,
  target: "local-cpu",
  nodes: {},
  edges: [],
});

const refreshList = () => queryClient.invalidateQueries({ queryKey: trpc.pipelines.list.queryKey() });

async function freeName(base: string): Promise<string> {
  const list = await api.pipelines.list.query();
  const taken = new Set(list.map((pipeline) => pipeline.name));
  let name = base;
  for (let i = 2; taken.has(name); i++) name = `${base}-${i}`;
  return name;
}

/** Saves `doc` as a new pipeline, under another name where its own is taken, and puts it on the canvas. */
async function create(doc: PipelineDoc): Promise<string> {
  await editor.flush();
  const name = await freeName(doc.name);
  const named = { ...doc, name };
  const { revision } = await api.pipelines.save.mutate({ name, doc: named, baseRevision: null });
  editor.load(named, revision);
  void refreshList();
  return name;
}

export const newPipeline = (): Promise<string> => create(emptyPipeline("untitled"));
export const createFrom = create;

export async function copyPipeline(doc: PipelineDoc): Promise<string> {
  const name = await saveUnderFreeName(editorApi, doc);
  void refreshList();
  return name;
}

export async function renamePipeline(to: string): Promise<void> {
  await editor.flush();
  const doc = currentDoc();
  if (!doc || doc.name === to) return;
  await api.pipelines.rename.mutate({ name: doc.name, to });
  const renamed = await api.pipelines.get.query({ name: to });
  editor.load(renamed.doc, renamed.revision);
  void refreshList();
}

export async function removePipeline(name: string): Promise<void> {
  await editor.flush();
  await api.pipelines.remove.mutate({ name });
  editor.close();
  void refreshList();
}

export function exportPipeline(doc: PipelineDoc): void {
  const url = URL.createObjectURL(new Blob([serializeDoc(doc)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${doc.name}.json`;
  link.click();
  URL.revokeObjectURL(url);
}

/** A file of bounded size that holds a pipeline of this or an older version. */
const IMPORT_LIMIT = 16 * 1024 * 1024;

export async function importFile(file: File): Promise<string | undefined> {
  if (file.size > IMPORT_LIMIT) {
    say({ tone: "bad", text: `${file.name} is larger than any pipeline.`, fix: "Choose a file saved by Edgewright." });
    return undefined;
  }
  return importText(file.name, await file.text());
}

async function importText(fileName: string, text: string): Promise<string | undefined> {
  const migrated = migrateDoc(nodeDefs, parseJson(text));
  if ("diagnostics" in migrated) {
    const [first] = migrated.diagnostics;
    say({ tone: "bad", text: `${fileName}: ${first?.message ?? "not a pipeline"}`, fix: first?.fix });
    return undefined;
  }
  return create(migrated.doc);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
