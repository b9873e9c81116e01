/**
 * The model catalogue: models people come for, by name, with their publisher's address, licence and the settings of
 * preprocess and nms that they want. Data only (`models/catalogue.json`); no weights of others are shipped. A digest stands
 * in it where the publisher states one, or where others hold the same file to it; else the first download is pinned.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { nms } from "../../nodes/nms/schema.ts";
import { preprocess } from "../../nodes/preprocess/schema.ts";

const https = z.url({ protocol: /^https$/ });

export const catalogueEntry = z.strictObject({
  /** What a `source` parameter says. */
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  title: z.string().min(1),
  task: z.enum(["detection", "face-detection", "classification", "sentence-embedding"]),
  /** `pytorch` is a checkpoint: export-pytorch makes ONNX of it. */
  format: z.enum(["onnx", "pytorch"]),
  /** The same file at several places, tried in turn. */
  urls: z.array(https).min(1),
  /** Name of the file in the workspace. */
  file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  sizeBytes: z.int().positive().nullable(),
  licence: z.string().min(1),
  homepage: https,
  /** Absent where the input is no picture. */
  preprocess: preprocess.params.optional(),
  /** Absent where the output is neither boxes nor classes. */
  nms: nms.params.optional(),
  note: z.string().min(1),
});
export type CatalogueEntry = z.output<typeof catalogueEntry>;

const catalogueSchema = z
  .array(catalogueEntry)
  .refine(
    (entries) => new Set(entries.map(({ id }) => id)).size === entries.length && allDiffer(entries),
    "Two entries share an id or a file.",
  );

function allDiffer(entries: readonly CatalogueEntry[]): boolean {
  return new Set(entries.map(({ file }) => file)).size === entries.length;
}

/** `models` is the folder of what the project ships. */
export function readCatalogue(models: string): readonly CatalogueEntry[] {
  const path = join(models, "catalogue.json");
  return existsSync(path) ? catalogueSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : [];
}
