/** Our side, run as a user runs it: the command on a saved pipeline, in a workspace of its own with an empty cache. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../server/projectRoot.ts";
import { type Ended, measuredProcess } from "./measuredProcess.ts";

const bin = join(projectRoot, "server/cli/bin.js");

export interface PipelineRun {
  /** Name of a file of pipelines/, without .json. */
  readonly pipeline: string;
  /** The node whose model is wanted; what it does not need is not run. */
  readonly node: string;
  readonly set: Readonly<Record<string, unknown>>;
}

export interface PipelineResult extends Ended {
  /** Reports by `node.port`. */
  readonly reports: Readonly<Record<string, unknown>>;
}

/** Copies the node's model, where it has one, to `out`; throws with the run's own words where it failed. */
export async function runPipeline({ pipeline, node, set }: PipelineRun, out?: string): Promise<PipelineResult> {
  const root = mkdtempSync(join(tmpdir(), "edgewright-bench-"));
  try {
    mkdirSync(join(root, "pipelines"));
    cpSync(join(projectRoot, "pipelines", `${pipeline}.json`), join(root, "pipelines", `${pipeline}.json`));
    const settings = Object.entries(set).flatMap(([path, value]) => ["--set", `${path}=${textOf(value)}`]);
    const args = [bin, "run", `pipelines/${pipeline}.json`, "--to", node, "--json", ...settings];
    const env = { EDGEWRIGHT_HOME: join(root, ".edgewright") };
    const ended = await measuredProcess(process.execPath, args, { env, cwd: root, timeoutSeconds: 900 });
    const last = lastEvent(ended.stdout);
    if (ended.status !== 0 || !last) throw new Error(failure(ended));
    const model = last.outputs[node]?.model?.path;
    if (out && model) copyFileSync(model, out);
    return { ...ended, reports: reportsOf(last) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

interface Finished {
  readonly outputs: Readonly<Record<string, Readonly<Record<string, { path?: string; value?: unknown }>>>>;
}

function lastEvent(stdout: string): Finished | undefined {
  const line = stdout.trimEnd().split("\n").at(-1);
  return line ? JSON.parse(line) : undefined;
}

function failure({ stdout, stderr }: Ended): string {
  const said = /"message":"((?:[^"\\]|\\.)*)"/.exec(stdout.split("\n").find((l) => l.includes("failed")) ?? "");
  return said?.[1] ?? (stderr.trim() || "the run ended without an event");
}

function reportsOf({ outputs }: Finished): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([node, ports]) =>
      Object.entries(ports).flatMap(([port, { value }]) => (value ? [[`${node}.${port}`, value]] : [])),
    ),
  );
}
