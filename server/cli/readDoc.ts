/** A pipeline's file as JSON, and `--set` as values: what is wrong with either is exit 2. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { UserError } from "../../nodes/context.ts";
import type { NodeDef } from "../../nodes/define.ts";
import { own } from "../../pipelines/document/own.ts";
import { sourceParams } from "../../pipelines/document/sources.ts";
import type { Ingest } from "../storage/ingest.ts";

export async function readDoc(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const why =
      cause instanceof Error && "code" in cause && cause.code === "ENOENT" ? "does not exist" : "is unreadable";
    throw new UserError("no-document", `${file} ${why}`, "Give the path of a saved pipeline.", { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw new UserError("bad-json", `${file} is no JSON: ${why}`, "Save it again from the canvas.", { cause });
  }
}

export interface SetContext {
  readonly doc: unknown;
  readonly defs: Readonly<Record<string, NodeDef>>;
  readonly ingest: Ingest;
  readonly progress: (message: string) => void;
}

const shape = z.looseObject({ nodes: z.record(z.string(), z.looseObject({ type: z.string() })) });
/** Sources that are no path. */
const NAMED = /^(builtin:|sha256:|https?:)/;

/**
 * `node.param=value`: the value is JSON if it parses, else text. A path, where the parameter names a file, is taken
 * from the working directory and enters the store, so that the run knows it by content.
 */
export async function readSettings(texts: readonly string[], context: SetContext): Promise<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1 || !text.slice(0, at).includes(".")) {
      throw new UserError(
        "bad-argument",
        `--set ${text} is not node.param=value`,
        "For example --set nms.iouThreshold=0.5",
      );
    }
    const path = text.slice(0, at);
    const value = jsonOrText(text.slice(at + 1));
    const kind =
      typeof value === "string" && value !== "" && !NAMED.test(value) ? sourceKind(path, context) : undefined;
    const isPath = kind !== undefined && !context.ingest.catalogued(String(value), kind);
    settings[path] = isPath ? await ingested(path, String(value), context) : value;
  }
  return settings;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What the parameter names where it is a source. */
function sourceKind(path: string, { doc, defs }: SetContext): string | undefined {
  const dot = path.indexOf(".");
  const parsed = shape.safeParse(doc);
  const node = parsed.success ? own(parsed.data.nodes, path.slice(0, dot)) : undefined;
  const def = node && own(defs, node.type);
  return def && sourceParams(def).find(({ name }) => name === path.slice(dot + 1))?.kind;
}

async function ingested(path: string, value: string, { ingest, progress }: SetContext): Promise<string> {
  try {
    return await ingest.ingestPath(resolve(value), { progress: ({ message }) => progress(message) });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.code, `${path}: ${error.message}`, error.fix, { cause: error });
  }
}
