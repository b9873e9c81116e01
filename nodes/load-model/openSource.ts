/** Which file of a source is the model, and where its external data is: within the source, by name, nowhere else. */
import type { Model } from "../../onnx/ir/graph.ts";
import { ModelFormatError } from "../../onnx/modelFormatError.ts";
import { readModel } from "../../onnx/serde.ts";
import { type RunContext, type SourceFile, UserError } from "../context.ts";

export interface OpenedModel {
  readonly model: Model;
  readonly file: SourceFile;
  /** Data files that the model reads. */
  readonly dataFiles: readonly SourceFile[];
}

export async function openSource(ctx: RunContext, files: readonly SourceFile[], sha256: string): Promise<OpenedModel> {
  const file = modelFile(files);
  if (sha256 && sha256 !== file.digest) {
    throw new UserError(
      "wrong-sha256",
      `"${file.name}" has the SHA-256 ${file.digest}, not ${sha256}`,
      "It is another version of the file, or damaged: download it again, or correct the sha256 parameter.",
    );
  }
  const folder = file.name.slice(0, file.name.lastIndexOf("/") + 1);
  const dataFiles = new Map<string, SourceFile>();
  const openExternal = async (location: string) => {
    const data = files.find(({ name }) => name === folder + location);
    if (!data) throw missingData(file, location, files.length === 1);
    dataFiles.set(data.name, data);
    return ctx.artifacts.source(data);
  };
  try {
    const model = await readModel(await ctx.artifacts.source(file), { openExternal });
    return { model, file, dataFiles: [...dataFiles.values()] };
  } catch (cause) {
    if (!(cause instanceof ModelFormatError)) throw cause;
    throw new UserError(cause.code, `"${file.name}" cannot be read: ${cause.message}`, cause.fix, { cause });
  }
}

/** The one file, or the only .onnx of a folder. */
function modelFile(files: readonly SourceFile[]): SourceFile {
  const [first, ...others] = files;
  if (!first) {
    throw new UserError(
      "no-source",
      "no model is chosen",
      "Set source to an .onnx file of the workspace, drop one on the canvas, or give --set NODE.source=PATH.",
    );
  }
  if (others.length === 0) return first;
  const models = files.filter(({ name }) => name.toLowerCase().endsWith(".onnx"));
  const [model, ...more] = models;
  if (!model) {
    throw new UserError(
      "no-model",
      `the folder has no .onnx file among its ${files.length}`,
      "Choose the model's folder.",
    );
  }
  if (more.length === 0) return model;
  const names = models.slice(0, 8).map(({ name }) => name);
  throw new UserError(
    "several-models",
    `the folder has ${models.length} models: ${names.join(", ")}${models.length > names.length ? "..." : ""}`,
    "Set source to one of them; a model with external data needs a folder of its own.",
  );
}

function missingData(file: SourceFile, location: string, single: boolean): UserError {
  return new UserError(
    "missing-data",
    `"${file.name}" keeps its weights in "${location}", which is not there`,
    single
      ? "Choose the folder that holds the model together with that file."
      : "Copy that file into the model's folder, under this very name.",
  );
}
