/** What dropped files mean: the server looks at their content; here only the name says which node wants them. */
import { addNode } from "../canvas/actions.ts";
import { centreOfView } from "../canvas/centreOfView.ts";
import { currentDoc, editor } from "../canvas/useEditor.ts";
import { importFile, newPipeline } from "./pipelines.ts";
import { uploadFile, uploadFolder } from "./upload.ts";
import { dismiss, say } from "./useNotices.ts";

const IMAGE = /\.(jpe?g|png|webp|bmp)$/i;
const VIDEO = /\.(mp4|m4v|mov|mkv|webm|avi)$/i;

/** `onto` is the node below the pointer. Gives the pipeline to show. */
export async function takeFiles(data: DataTransfer, onto?: string): Promise<string | undefined> {
  const files = await filesOf(data);
  const [first] = files;
  if (!first) return undefined;
  const named = (test: RegExp) => files.filter((file) => test.test(file.name));
  const images = named(IMAGE);
  if (named(/\.onnx$/i).length > 0)
    return add("load-model", onto, () => (files.length > 1 ? uploadFolder(files) : uploadFile(first)));
  if (images.length > 0) return add("load-images", onto, () => uploadFolder(images));
  const [video] = named(VIDEO);
  if (video) return add("load-video", onto, () => uploadFile(video));
  const [json] = named(/\.json$/i);
  if (json) return importFile(json);
  say({
    tone: "bad",
    text: `${first.name} is neither a model, nor pictures, nor a pipeline.`,
    fix: "Drop .onnx, .jpg, .png, .mp4 or .json.",
  });
  return undefined;
}

async function add(type: string, onto: string | undefined, upload: () => Promise<string>): Promise<string | undefined> {
  const name = currentDoc()?.name ?? (await newPipeline());
  const notice = say({ tone: "info", text: "Uploading…" });
  try {
    const source = await upload();
    const taker = takerOf(type, onto);
    if (taker) {
      editor.apply([{ op: "param", node: taker, name: "source", value: source }]);
      editor.select([taker]);
    } else addNode(type, centreOfView(), { params: { source } });
  } finally {
    dismiss(notice);
  }
  return name;
}

/** The node of this type dropped onto, else the only one that still waits for its file, or has but what we ship. */
function takerOf(type: string, onto: string | undefined): string | undefined {
  const nodes = Object.entries(currentDoc()?.nodes ?? {}).filter(([, node]) => node.type === type);
  if (nodes.some(([id]) => id === onto)) return onto;
  const waiting = nodes.filter(([, { params }]) => !params.source || String(params.source).startsWith("builtin:"));
  return waiting.length === 1 ? waiting[0]?.[0] : undefined;
}

/** Files of a drop, those of dropped folders included; entries must be taken before the event is over. */
async function filesOf(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...data.files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry: FileSystemEntry): Promise<File[]> {
  if (isFile(entry)) return [await new Promise<File>((resolve, reject) => entry.file(resolve, reject))];
  if (!isDirectory(entry)) return [];
  const reader = entry.createReader();
  const found: File[] = [];
  // A reader gives a hundred entries at a time.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return found;
    found.push(...(await Promise.all(batch.map(walk))).flat());
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
