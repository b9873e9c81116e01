/** What the project ships for a `source` to name as `builtin:NAME`: the files below `models/`. */
import { readdir, readFile } from "node:fs/promises";
import { join, parse } from "node:path";
import { z } from "zod";
import { exists } from "./blobs.ts";

/** `NAME.json` (a recipe of scenes), `NAME.onnx` and `NAME/NAME.onnx` (a model with its card), by NAME. */
export async function shippedFiles(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: Record<string, string> = {};
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const model = join(name, `${name}.onnx`);
    if (await exists(join(folder, model))) found[name] = model;
  }
  for (const { name } of entries) {
    const { name: base, ext } = parse(name);
    if (ext === ".onnx" || (ext === ".json" && name !== "catalogue.json")) found[base] = name;
  }
  return found;
}

export interface NamedSource {
  /** What the parameter says. */
  readonly source: string;
  /** The kinds of `source` parameter that take it. */
  readonly kinds: readonly string[];
  readonly title: string;
}

export async function shippedSources(folder: string): Promise<readonly NamedSource[]> {
  const files = Object.entries(await shippedFiles(folder)).sort(([a], [b]) => (a < b ? -1 : 1));
  return Promise.all(
    files.map(async ([name, file]): Promise<NamedSource> => {
      const source = `builtin:${name}`;
      if (file.endsWith(".onnx")) return { source, kinds: ["model"], title: "ships with the project" };
      const { kind } = z
        .looseObject({ kind: z.string() })
        .parse(JSON.parse(await readFile(join(folder, file), "utf8")));
      const kinds = kind === "scene-video" ? ["video", "images"] : ["images"];
      return { source, kinds, title: "synthetic" };
    }),
  );
}
