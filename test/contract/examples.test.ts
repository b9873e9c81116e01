/**
 * Every node's example runs, on a model and pictures made here. A `pure` node gives the same bytes in two workspaces, no
 * step changes what it was given, and a pure result that differs from the recorded one needs a raised `version`.
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Effects } from "../../nodes/define.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import type { RunEvent } from "../../pipelines/document/events.ts";
import { upstreamOf } from "../../pipelines/document/graph.ts";
import { migrateDoc } from "../../pipelines/document/migrations.ts";
import { createServices, type Services } from "../../server/services.ts";
import { projectRoot } from "../support/imports.ts";
import { TINY_SIDE, writeTinyDetector } from "../support/tinyDetector.ts";

/** What examples leave to their user, by node type: files, and the size of this model's input. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  "load-model": { source: "tiny.onnx" },
  "load-tensors": { source: "tensors.jsonl" },
  "load-images": { source: "images", labels: "labels" },
  preprocess: { width: TINY_SIDE, height: TINY_SIDE },
  nms: { decoder: "fastestdet" },
};
/** Videos, NVIDIA's builder and Ultralytics' exporter are not made here; their nodes' own tests run them. */
const ELSEWHERE = new Set(["load-video", "compile-tensorrt", "export-pytorch"]);

const roots: string[] = [];
let first: Services;
let second: Services;

beforeAll(async () => {
  first = await workspace();
  second = await workspace();
});
afterAll(async () => {
  for (const services of [first, second]) await services?.[Symbol.asyncDispose]();
  for (const root of roots) await rm(root, { recursive: true, force: true });
});

async function workspace(): Promise<Services> {
  const root = await mkdtemp(join(tmpdir(), "edgewright-examples-"));
  roots.push(root);
  await mkdir(join(root, ".edgewright"));
  await writeTinyDetector(root);
  return createServices({ root });
}

async function example(type: string): Promise<PipelineDoc> {
  const text = await readFile(join(projectRoot, "nodes", type, "example.pipeline.json"), "utf8");
  const migrated = migrateDoc(nodeDefs, JSON.parse(text));
  if ("doc" in migrated) return migrated.doc;
  throw new Error(JSON.stringify(migrated.diagnostics));
}

async function runToEnd(services: Services, doc: PipelineDoc): Promise<RunEvent[]> {
  const set = Object.entries(doc.nodes).flatMap(([id, node]) =>
    Object.entries(SETTINGS[node.type] ?? {}).map(([name, value]) => [`${id}.${name}`, value] as const),
  );
  const { runId } = await services.executor.submit({ doc, set: Object.fromEntries(set) });
  const events: RunEvent[] = [];
  for await (const event of services.executor.watch(runId)) events.push(event);
  return events;
}

/** Digests by `NODE.PORT` of the pure steps into which only steps of these effects have gone. */
function pureDigests(doc: PipelineDoc, events: readonly RunEvent[], only: readonly Effects[]): Record<string, string> {
  const effects = (id: string) => nodeDefs[doc.nodes[id]?.type ?? ""]?.effects;
  const steady = (id: string) =>
    [id, ...upstreamOf(doc, id)].every((x) => only.some((effect) => effect === effects(x)));
  const digests: Record<string, string> = {};
  for (const event of events) {
    if (event.type !== "step.finished" || event.effects !== "pure" || !steady(event.node)) continue;
    for (const [port, { digest }] of Object.entries(event.outputs)) digests[`${event.node}.${port}`] = digest;
  }
  return digests;
}

describe.each(Object.values(nodeDefs).filter((def) => !ELSEWHERE.has(def.type)))("$type", (def) => {
  it("runs its example, and pure steps give the same bytes anywhere", async () => {
    const doc = await example(def.type);
    const events = await runToEnd(first, doc);
    const failures = events.filter((event) => event.type === "step.failed" || event.type === "step.log");
    const end = events.at(-1);
    expect(end?.type === "run.finished" && end.status, JSON.stringify([failures, end])).toBe("done");
    const again = await runToEnd(second, doc);
    const same: Effects[] = ["pure", "infers"];
    expect(pureDigests(doc, again, same)).toEqual(pureDigests(doc, events, same));
  });
});

it("no step changed what it was given: every stored file still is what its name says", async () => {
  const home = first.workspace.home;
  const files = await readdir(join(home, "blobs"), { recursive: true, withFileTypes: true });
  const stored = files.filter((entry) => entry.isFile());
  expect(stored.length).toBeGreaterThan(10);
  for (const entry of stored) {
    const path = join(entry.parentPath, entry.name);
    const digest = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    expect(path.replaceAll("/", "")).toContain(digest);
  }
});

// What a model computed differs between processors in its last bits, so only pure steps on pure inputs are recorded.
it.skipIf(`${process.platform} ${process.arch}` !== "linux x64")(
  "a pure result that changed has a raised version (recorded on linux x64)",
  async () => {
    const recorded: Record<string, Record<string, string>> = {};
    for (const def of Object.values(nodeDefs)) {
      if (def.effects !== "pure" || ELSEWHERE.has(def.type)) continue;
      const doc = await example(def.type);
      const ids = Object.keys(doc.nodes).filter((id) => doc.nodes[id]?.type === def.type);
      const own = (await runToEnd(first, doc)).filter(
        (event) => event.type === "step.finished" && ids.includes(event.node),
      );
      const digests = pureDigests(doc, own, ["pure"]);
      if (Object.keys(digests).length > 0) recorded[`${def.type}@${def.version}`] = digests;
    }
    expect(recorded).toMatchSnapshot();
  },
);
