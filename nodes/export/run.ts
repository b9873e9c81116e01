/**
 * Writes the folder beside its place and renames it there: a run that is cut off leaves the old export whole, and no
 * reader ever sees half of a new one.
 */
import { randomBytes } from "node:crypto";
import { chmod, copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { onnxruntimeTable, tensorrtCache } from "../../onnx/passes/calibrate/foreignTables.ts";
import { readCalibration } from "../calibrationTable.ts";
import { type RunContext, UserError } from "../context.ts";
import { type InputsOf, implementNode } from "../define.ts";
import type { ArtifactRef } from "../ports.ts";
import { readme } from "./readme.ts";
import { export as exportNode } from "./schema.ts";

type Inputs = InputsOf<typeof exportNode.inputs>;

export const run = implementNode(exportNode, async (ctx, inputs, { name }) => {
  const folder = join(ctx.exportsDir, name);
  const partial = join(ctx.exportsDir, `.${name}-${randomBytes(6).toString("hex")}`);
  await mkdir(partial, { recursive: true });
  try {
    await write(ctx, inputs, { name, folder: partial });
    ctx.signal.throwIfAborted();
    await replace(folder, partial);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  ctx.log(`wrote exports/${name}: ${(await readdir(folder)).sort().join(", ")}`);
  return {};
});

async function write(ctx: RunContext, inputs: Inputs, { name, folder }: { name: string; folder: string }) {
  const { model, settings, calibration, report } = inputs;
  const kit = model ? undefined : await findKit(ctx, report);
  const modelFiles = model
    ? await writeModel(ctx, model, folder)
    : await writeFiles(ctx, kit ?? {}, join(folder, "kit"));
  const settingsJson = settings && (await writeJson(ctx, settings, join(folder, "preprocess.json")));
  const tables = calibration ? await writeTables(ctx, calibration, join(folder, "calibration")) : [];
  const reports: { file: string; json: Record<string, unknown> }[] = [];
  for (const ref of report) {
    const json = record(await ctx.artifacts.readJson(ref));
    const kind = typeof json.kind === "string" && /^[a-z0-9-]+$/.test(json.kind) ? json.kind : "report";
    const same = reports.filter((other) => other.json.kind === json.kind).length;
    const file = `reports/${kind}${same > 0 ? `-${same + 1}` : ""}.json`;
    await writeJson(ctx, ref, join(folder, file));
    reports.push({ file, json });
  }
  const text = readme({
    name,
    modelFiles: model ? modelFiles : modelFiles.map((file) => `kit/${file}`),
    isKit: !model,
    tables: tables.map((file) => `calibration/${file}`),
    reports,
    ...(model && isModel(model) && { model: await ctx.artifacts.openModel(model) }),
    ...(settingsJson && { settings: settingsJson }),
  });
  await writeFile(join(folder, "README.md"), text);
}

/** Names of the files written. */
async function writeModel(
  ctx: RunContext,
  ref: ArtifactRef<"model" | "engine">,
  folder: string,
): Promise<readonly string[]> {
  if (ref.form !== "tree") {
    const name = ref.kind === "model" ? "model.onnx" : "model.engine";
    await copy(await ctx.artifacts.filePath(ref), join(folder, name));
    return [name];
  }
  return writeFiles(ctx, await ctx.artifacts.files(ref), folder);
}

type Files = Readonly<Record<string, { readonly digest: string }>>;

async function writeFiles(ctx: RunContext, stored: Files, folder: string): Promise<readonly string[]> {
  const files = Object.entries(stored);
  let done = 0;
  for (const [name, file] of files) {
    ctx.signal.throwIfAborted();
    await copy(await ctx.artifacts.filePath(file), join(folder, name));
    ctx.progress(++done, files.length, "files");
  }
  return files.map(([name]) => name);
}

/** The build kit that a compiler made in place of the engine, from its report. */
async function findKit(ctx: RunContext, reports: readonly ArtifactRef<"report">[]): Promise<Files> {
  for (const ref of reports) {
    const found = withKit.safeParse(await ctx.artifacts.readJson(ref));
    if (found.success)
      return ctx.artifacts.files({ kind: "engine", digest: found.data.kit.digest, size: 0, form: "tree" });
  }
  throw new UserError(
    "no-model",
    "no model or engine came, and no report with a build kit",
    "Wire the compiler's report in as well: it names the kit's files.",
  );
}

const withKit = z.looseObject({
  kind: z.literal("compile-tensorrt"),
  kit: z.looseObject({ digest: z.string().regex(/^[0-9a-f]{64}$/) }),
});

/** The ranges in the forms that other tools read. */
async function writeTables(ctx: RunContext, ref: ArtifactRef<"calibration">, folder: string) {
  const table = await readCalibration(ctx.artifacts, ref);
  const files = {
    "calibration.json": JSON.stringify(table),
    "tensorrt.cache": tensorrtCache(table),
    "onnxruntime.json": onnxruntimeTable(table),
  };
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return Object.keys(files);
}

/** A copy, never a link: the store's files must not change with what is done to an export. */
async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, 0o644);
}

async function writeJson(ctx: RunContext, ref: ArtifactRef, path: string): Promise<Record<string, unknown>> {
  const json = await ctx.artifacts.readJson(ref);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(json, null, 2)}\n`);
  return record(json);
}

async function replace(folder: string, by: string): Promise<void> {
  const old = `${by}-old`;
  const hadOld = await rename(folder, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
  await rename(by, folder);
  if (hadOld) await rm(old, { recursive: true, force: true });
}

function isModel(ref: ArtifactRef<"model" | "engine">): ref is ArtifactRef<"model"> {
  return ref.kind === "model";
}

function record(json: unknown): Record<string, unknown> {
  return typeof json === "object" && json !== null ? { ...json } : {};
}
