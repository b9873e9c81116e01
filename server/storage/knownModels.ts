/**
 * What the project knows of a model: how its pictures are prepared and its boxes read. By the catalogue's name or digest,
 * or of a model that ships, from the `settings.json` beside it. An unknown model is undefined: nothing is guessed.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { KnownModel } from "../../nodes/context.ts";
import { nms } from "../../nodes/nms/schema.ts";
import { preprocess } from "../../nodes/preprocess/schema.ts";
import { isCode } from "./blobs.ts";
import type { CatalogueEntry } from "./catalogue.ts";

/** Without width and height: the model's own input has them. */
const shippedSettings = z.strictObject({
  title: z.string().min(1),
  preprocess: preprocess.params.omit({ width: true, height: true }),
  nms: nms.params.pick({ decoder: true, classes: true }),
});

export function knownFromEntry({ title, preprocess, nms }: CatalogueEntry): KnownModel | undefined {
  if (!preprocess && !nms) return undefined;
  return {
    title,
    ...(preprocess && { preprocess }),
    ...(nms && { nms: { decoder: nms.decoder, classes: nms.classes } }),
  };
}

/** `models` is the folder of what the project ships. */
export async function knownFromShipped(models: string, name: string): Promise<KnownModel | undefined> {
  try {
    return shippedSettings.parse(JSON.parse(await readFile(join(models, name, "settings.json"), "utf8")));
  } catch (cause) {
    if (isCode(cause, "ENOENT") || isCode(cause, "ENOTDIR")) return undefined;
    throw cause;
  }
}
