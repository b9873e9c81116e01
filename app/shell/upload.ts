/** Files from the user's disk into the server's store; a `source` parameter then names them by digest. */
import { z } from "zod";
import { api } from "../trpc.ts";

const stored = z.object({ digest: z.string(), size: z.number(), source: z.string() });
const refused = z.object({ message: z.string(), fix: z.string().optional() });

/** Uploads at a time: enough to fill the line, few enough for a folder of thousands. */
const AT_ONCE = 4;

export async function uploadFile(file: File): Promise<string> {
  return (await send(file)).source;
}

/** Several files as one folder, by their paths within it. */
export async function uploadFolder(files: readonly File[]): Promise<string> {
  const entries: Record<string, { readonly digest: string; readonly size: number }> = {};
  const waiting = [...files];
  const worker = async () => {
    for (let file = waiting.pop(); file; file = waiting.pop()) {
      const { digest, size } = await send(file);
      entries[nameIn(file)] = { digest, size };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const name = files[0]?.webkitRelativePath.split("/")[0] || `${files.length} files`;
  return (await api.artifacts.folder.mutate({ name, files: entries })).source;
}

/** The path below the folder that was chosen. */
const nameIn = (file: File): string => file.webkitRelativePath.split("/").slice(1).join("/") || file.name;

async function send(file: File): Promise<z.infer<typeof stored>> {
  const response = await fetch("/api/blobs", {
    method: "POST",
    body: file,
    headers: { "content-type": "application/octet-stream", "x-file-name": encodeURIComponent(file.name) },
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return stored.parse(body);
  const why = refused.safeParse(body);
  const text = why.success ? [why.data.message, why.data.fix].filter(Boolean).join(". ") : response.statusText;
  throw new Error(`${file.name}: ${text}`);
}

/** The system's file chooser; nothing where it was closed. */
export function pickFiles(accept: string, folder = false): Promise<File[]> {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = accept;
    input.multiple = folder;
    input.webkitdirectory = folder;
    input.onchange = () => resolve([...(input.files ?? [])]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}

/** An artifact's bytes; `file` names one file of a folder. */
export function artifactUrl(digest: string, file?: string): string {
  const path = file === undefined ? "" : `/${file.split("/").map(encodeURIComponent).join("/")}`;
  return `/api/blobs/${digest}${path}`;
}

export const downloadUrl = (digest: string, name: string): string =>
  `${artifactUrl(digest)}?download=${encodeURIComponent(name)}`;
