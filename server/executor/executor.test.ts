import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../pipelines/document/events.ts";
import { reduceRun } from "../../pipelines/document/reduceRun.ts";
import { doc } from "../../test/support/stubDoc.ts";
import {
  bundleStubStep,
  removeFolder,
  type StubOptions,
  stubExecutor,
  temporaryRoot,
} from "../../test/support/stubExecutor.ts";
import type { Submission } from "./prepare.ts";

let bundles = "";
beforeAll(async () => {
  bundles = await bundleStubStep();
});
afterAll(() => removeFolder(bundles));

async function workshop(options: Partial<StubOptions> = {}) {
  const root = options.root ?? (await temporaryRoot());
  const parts = stubExecutor(join(bundles, "step.js"), { ...options, root });
  return {
    root,
    ...parts,
    async run(submission: Submission): Promise<RunEvent[]> {
      const { runId } = await parts.executor.submit(submission);
      const events: RunEvent[] = [];
      for await (const event of parts.executor.watch(runId)) events.push(event);
      return events;
    },
    async [Symbol.asyncDispose]() {
      await parts.executor.close();
      if (!options.root) await removeFolder(root);
    },
  };
}

const finished = (events: readonly RunEvent[]) => events.filter((event) => event.type === "step.finished");
const cacheOf = (events: readonly RunEvent[]) =>
  Object.fromEntries(finished(events).map(({ node, cache }) => [node, cache]));
const reasonsOf = (events: readonly RunEvent[]) =>
  Object.fromEntries(finished(events).map(({ node, reason }) => [node, reason]));
/** Files that an ended step left to go on from. */
const checkpointsOf = (root: string) =>
  readdirSync(join(root, ".edgewright", "tmp")).filter((name) => name.startsWith("checkpoint-"));
const errorsOf = (events: readonly RunEvent[]) =>
  Object.fromEntries(events.flatMap((event) => (event.type === "step.failed" ? [[event.node, event.error]] : [])));
function end(events: readonly RunEvent[]) {
  const last = events.at(-1);
  if (last?.type !== "run.finished") throw new Error("the run has no end");
  return last;
}

const vision = doc(
  {
    model: { type: "text" },
    source: { type: "count" },
    infer: { type: "scale" },
    nms: { type: "detect" },
    total: { type: "sum" },
  },
  [
    "source.tensors -> infer.tensors",
    "model.model -> infer.model",
    "infer.tensors -> nms.tensors",
    "infer.tensors -> total.a",
    "source.tensors -> total.b",
  ],
);

describe("a run", () => {
  it("runs in order, then all from the cache without a process", async () => {
    await using w = await workshop();
    const chain = doc({ a: { type: "text" }, b: { type: "text", params: { text: "b" } } }, ["a.model -> b.after"]);
    const first = await w.run({ doc: chain });
    expect(end(first).status).toBe("done");
    expect(finished(first).map(({ node }) => node)).toEqual(["a", "b"]);
    const path = end(first).outputs.b?.model?.path ?? "";
    expect(readFileSync(path, "utf8")).toBe("a+b");
    expect(first.map(({ seq }) => seq)).toEqual(first.map((_, i) => i));
    expect(reasonsOf(first)).toEqual({ a: "first run", b: "first run" });
    const second = await w.run({ doc: chain });
    expect(cacheOf(second)).toEqual({ a: "hit", b: "hit" });
    expect(second.some(({ type }) => type === "step.started")).toBe(false);
    expect(end(second).outputs).toEqual(end(first).outputs);
  });

  it("says why a node runs again", async () => {
    await using w = await workshop();
    const chain = doc({ a: { type: "text" }, b: { type: "text", params: { text: "b" } } }, ["a.model -> b.after"]);
    await w.run({ doc: chain });
    const changed = await w.run({ doc: chain, set: { "a.text": "z" } });
    expect(reasonsOf(changed)).toEqual({ a: "parameter text changed", b: "input after changed" });
    // Another way to the same bytes leaves what follows warm.
    const same = await w.run({ doc: chain, set: { "a.text": "z", "a.delayMs": 1 } });
    expect(cacheOf(same)).toEqual({ a: "miss", b: "hit" });
    await using newer = await workshop({ root: w.root, libraries: { stub: "2" } });
    expect(reasonsOf(await newer.run({ doc: chain })).a).toContain("new version of stub");
  });

  it("runs independent nodes at the same time", async () => {
    await using w = await workshop();
    const wide = doc({ a: { type: "text", params: { delayMs: 300 } }, b: { type: "text", params: { delayMs: 301 } } });
    const types = (await w.run({ doc: wide })).map(({ type }) => type).filter((type) => type !== "step.progress");
    expect(types.slice(0, 3)).toEqual(["run.started", "step.started", "step.started"]);
  });

  it("runs only what the wanted node needs", async () => {
    await using w = await workshop();
    const events = await w.run({ doc: vision, to: "source" });
    expect(Object.keys(cacheOf(events))).toEqual(["source"]);
  });

  it("measures alone, and again only when asked to", async () => {
    await using w = await workshop();
    const measured = doc(
      {
        a: { type: "text" },
        slow: { type: "text", params: { delayMs: 200 } },
        t1: { type: "time" },
        t2: { type: "time", params: { ms: 60 } },
      },
      ["a.model -> t1.model", "a.model -> t2.model"],
    );
    const events = await w.run({ doc: measured });
    const spans = finished(events)
      .filter(({ effects }) => effects === "measures")
      .map(({ node }) => end(events).outputs[node]?.report?.value)
      .map((value) => span(value))
      .sort((a, b) => a.start - b.start);
    expect(spans).toHaveLength(2);
    expect(spans[0]?.end).toBeLessThanOrEqual(spans[1]?.start ?? 0);
    const order = events.flatMap((e) =>
      e.type === "step.started" || e.type === "step.finished" ? [`${e.type} ${e.node}`] : [],
    );
    expect(order.indexOf("step.finished slow")).toBeLessThan(order.indexOf("step.started t1"));
    expect(cacheOf(await w.run({ doc: measured }))).toMatchObject({ t1: "hit", t2: "hit" });
    const again = await w.run({ doc: measured, fresh: true });
    expect(cacheOf(again)).toEqual({ a: "hit", slow: "hit", t1: "miss", t2: "miss" });
    expect(reasonsOf(again).t1).toBe("asked to run again");
  });
});

function span(value: unknown): { start: number; end: number } {
  if (typeof value !== "object" || value === null || !("start" in value) || !("end" in value))
    throw new Error("no span");
  return { start: Number(value.start), end: Number(value.end) };
}

describe("streams", () => {
  it("flow through one stage, each item once to each reader", async () => {
    await using w = await workshop();
    const events = await w.run({ doc: vision });
    expect(errorsOf(events)).toEqual({});
    expect(end(events).outputs.total?.report?.value).toMatchObject({ total: (20 * 21) / 2 + 20 * 21, items: 20 });
    const lines = readFileSync(end(events).outputs.nms?.detections?.path ?? "", "utf8")
      .trim()
      .split("\n");
    expect(lines).toHaveLength(20);
    expect(JSON.parse(lines[2] ?? "")).toEqual({
      frame: "frame-3",
      width: 1,
      height: 1,
      detections: [{ classId: 0, class: "number", score: 6, box: [0, 0, 1, 1] }],
    });
    expect(end(events).outputs.source?.settings?.kind).toBe("settings");
    const previews = finished(events).find(({ node }) => node === "source")?.previews;
    expect(previews).toHaveLength(1);
    const progress = events.filter((event) => event.type === "step.progress" && event.node === "infer").at(-1);
    expect(progress).toMatchObject({ done: 20, total: 20, unit: "frames" });
    expect(Object.values(cacheOf(await w.run({ doc: vision })))).toEqual(Array(5).fill("hit"));
  });

  it("a changed parameter reruns its node and what follows only", async () => {
    await using w = await workshop();
    await w.run({ doc: vision });
    const events = await w.run({ doc: vision, set: { "nms.above": 30 } });
    expect(cacheOf(events)).toEqual({ model: "hit", source: "hit", infer: "hit", nms: "miss", total: "hit" });
    const lines = readFileSync(end(events).outputs.nms?.detections?.path ?? "", "utf8")
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line).detections.length)).toEqual([
      ...Array(15).fill(0),
      ...Array(5).fill(1),
    ]);
  });

  it("too large to keep, or without an end, are made again and say so", async () => {
    await using w = await workshop({ tensorBudget: 200 });
    const first = await w.run({ doc: vision });
    expect(end(first).outputs.infer).toEqual({});
    expect(first).toContainEqual(expect.objectContaining({ type: "step.log", node: "infer" }));
    const events = await w.run({ doc: vision, set: { "nms.above": 30 } });
    expect(cacheOf(events)).toMatchObject({ infer: "hit", nms: "miss" });
    const log = events.find((event) => event.type === "step.log");
    expect(log).toMatchObject({ node: "infer", message: expect.stringContaining("runs again") });
    expect(end(events).status).toBe("done");
  });

  it("a slow reader holds the source back, and ends with the same sum", async () => {
    await using w = await workshop();
    const slow = doc(
      {
        source: { type: "count", params: { to: 60 } },
        slow: { type: "sum", params: { delayMs: 5 } },
        fast: { type: "detect" },
        scale: { type: "scale" },
      },
      ["source.tensors -> scale.tensors", "scale.tensors -> slow.a", "scale.tensors -> fast.tensors"],
    );
    const events = await w.run({ doc: slow });
    expect(end(events).outputs.slow?.report?.value).toMatchObject({ total: 60 * 61, items: 60 });
  });

  it("a sink gives its artifact to a stage of the next level", async () => {
    await using w = await workshop();
    const levels = doc(
      { source: { type: "count" }, calibrate: { type: "sum" }, infer: { type: "scale" }, total: { type: "sum" } },
      [
        "source.tensors -> calibrate.a",
        "source.tensors -> infer.tensors",
        "calibrate.model -> infer.model",
        "infer.tensors -> total.a",
      ],
    );
    const events = await w.run({ doc: levels });
    expect(end(events)).toMatchObject({ status: "done" });
    const nodes = finished(events).map(({ node }) => node);
    expect(nodes.slice(0, 2)).toEqual(["source", "calibrate"]);
    expect(nodes.slice(2).sort()).toEqual(["infer", "total"]);
  });

  it("a failing sink leaves the others alone; a failing source ends what reads it", async () => {
    await using w = await workshop();
    const sink = await w.run({ doc: vision, set: { "total.fail": true } });
    expect(errorsOf(sink)).toEqual({ total: { code: "no-sum", message: "this sum fails" } });
    expect(cacheOf(sink)).toMatchObject({ infer: "miss", nms: "miss" });
    expect(end(sink).status).toBe("failed");
    const cut = await w.run({ doc: vision, set: { "source.delayMs": 20, "infer.unkeepableAt": 12 } });
    expect(errorsOf(cut)).toMatchObject({ infer: { code: "disk-full" } });
    expect(errorsOf(cut)).not.toHaveProperty("nms");
    expect(reduceRun(cut).steps.nms?.state).toBe("skipped");
    expect(cacheOf(cut)).toEqual({ model: "hit", source: "miss" });
    const source = await w.run({ doc: vision, set: { "source.failAt": 15 } });
    expect(errorsOf(source)).toEqual({ source: expect.objectContaining({ code: "bad-number", fix: "count less" }) });
    expect(cacheOf(source)).toEqual({ model: "hit", source: "miss" });
  });
});

describe("what goes wrong", () => {
  const rogue = (does: string) =>
    doc(
      {
        rogue: { type: "rogue", params: { does } },
        after: { type: "text" },
        other: { type: "text", params: { text: "o" } },
      },
      ["rogue.model -> after.after"],
    );

  it("goes on from what a step that crashed left behind, and removes it at the end", async () => {
    await using w = await workshop();
    const steps = doc({ a: { type: "resumes" } });
    expect(errorsOf(await w.run({ doc: steps }))).toMatchObject({ a: { code: "crashed" } });
    expect(checkpointsOf(w.root)).toHaveLength(1);
    // Other parameters, another step.
    expect(errorsOf(await w.run({ doc: steps, set: { "a.text": "b" } }))).toMatchObject({ a: { code: "crashed" } });
    const again = await w.run({ doc: steps });
    expect(readFileSync(end(again).outputs.a?.model?.path ?? "", "utf8")).toBe("half of a and the rest");
    expect(checkpointsOf(w.root)).toHaveLength(1);
    expect(cacheOf(await w.run({ doc: steps }))).toEqual({ a: "hit" });
  });

  it.each([
    ["abort", { code: "crashed", message: expect.stringContaining("SIGABRT") }],
    ["refuse", { code: "too-bad", message: "this cannot work", fix: "do otherwise" }],
    ["disk-full", { code: "disk-full", fix: expect.stringContaining("edgewright clean") }],
    ["bug", { code: "internal", message: "undefined is not a function" }],
    ["hoard", { code: "memory-limit" }],
  ])("%s fails its step alone", async (does, error) => {
    await using w = await workshop({ memoryBytes: 400 * 2 ** 20 });
    const events = await w.run({ doc: rogue(does) });
    expect(errorsOf(events).rogue).toMatchObject(error);
    expect(errorsOf(events).rogue).not.toHaveProperty("stack");
    expect(Object.keys(errorsOf(events))).toEqual(["rogue"]);
    expect(cacheOf(events)).toEqual({ other: "miss" });
    expect(end(events).status).toBe("failed");
    // The next run finds a healthy process.
    expect(cacheOf(await w.run({ doc: doc({ x: { type: "text", params: { text: does } } }) }))).toEqual({ x: "miss" });
  });

  it("a step over its time is ended", async () => {
    await using w = await workshop({ timeoutMs: 400 });
    expect(errorsOf(await w.run({ doc: rogue("loop") })).rogue).toMatchObject({ code: "timeout" });
  });

  it("cancel ends a busy loop, and the run", async () => {
    await using w = await workshop();
    const { runId } = await w.executor.submit({ doc: rogue("loop") });
    for await (const event of w.executor.watch(runId))
      if (event.type === "step.progress" && event.node === "rogue") break;
    expect(await w.executor.cancel(runId)).toBe(true);
    const state = reduceRun(await w.executor.events(runId));
    expect(state.status).toBe("cancelled");
    expect(state.steps.rogue?.state).toBe("skipped");
    expect(await w.executor.cancel(runId)).toBe(false);
  });

  it("runs wait for one another, and a waiting one can be cancelled", async () => {
    await using w = await workshop();
    const first = await w.executor.submit({ doc: doc({ a: { type: "text", params: { delayMs: 300 } } }) });
    const second = await w.executor.submit({ doc: rogue("loop") });
    await w.executor.cancel(second.runId);
    expect(reduceRun(await w.executor.events(second.runId)).status).toBe("cancelled");
    for await (const _ of w.executor.watch(first.runId));
    expect(reduceRun(await w.executor.events(first.runId)).status).toBe("done");
  });

  it("what is no pipeline, or sets what is not there, ends at once with its diagnostics", async () => {
    await using w = await workshop();
    const cases: [Submission, string][] = [
      [{ doc: { format: "other" } }, "not-a-pipeline"],
      [{ doc: vision, set: { "nobody.text": 1 } }, "unknown-node"],
      [{ doc: vision, set: { "nms.nothing": 1 } }, "unknown-parameter"],
      [{ doc: vision, target: "mars" }, "unknown-target"],
      [{ doc: doc({ s: { type: "scale" } }) }, "missing-input"],
    ];
    for (const [submission, code] of cases) {
      const events = await w.run(submission);
      expect(end(events)).toMatchObject({ status: "failed", diagnostics: [expect.objectContaining({ code })] });
      expect(events.map(({ type }) => type)).toEqual(["run.started", "run.finished"]);
    }
  });

  it("a result whose bytes are gone, or whose entry is damaged, is made again", async () => {
    await using w = await workshop();
    const one = doc({ a: { type: "text" } });
    const path = end(await w.run({ doc: one })).outputs.a?.model?.path ?? "";
    rmSync(path);
    const again = await w.run({ doc: one });
    expect(reasonsOf(again)).toEqual({ a: "its result is no longer in the cache" });
    const [entry] = await w.cache.list();
    writeFileSync(join(w.root, ".edgewright/cache", `${entry?.key}.json`), "{");
    expect(cacheOf(await w.run({ doc: one }))).toEqual({ a: "miss" });
  });

  it("an input that its maker left out is said by name", async () => {
    await using w = await workshop();
    const events = await w.run({
      doc: doc({ a: { type: "rogue", params: { does: "nothing" } }, b: { type: "time" }, c: { type: "text" } }, [
        "a.model -> b.model",
        "a.model -> c.after",
      ]),
    });
    expect(errorsOf(events)).toEqual({
      b: expect.objectContaining({ code: "no-input", message: "a gave no model" }),
    });
    expect(cacheOf(events)).toEqual({ a: "miss", c: "miss" });
  });

  it("an export is a hit only while what it wrote lies there", async () => {
    await using w = await workshop();
    const one = doc({ a: { type: "text" }, b: { type: "write" } }, ["a.model -> b.model"]);
    const file = join(w.root, "exports/a/text");
    expect(cacheOf(await w.run({ doc: one }))).toEqual({ a: "miss", b: "miss" });
    expect(cacheOf(await w.run({ doc: one }))).toEqual({ a: "hit", b: "hit" });
    await w.run({ doc: one, set: { "a.text": "other" } });
    expect(readFileSync(file, "utf8")).toBe("other");
    const again = await w.run({ doc: one });
    expect(reasonsOf(again).b).toBe("what it wrote was changed since");
    expect(readFileSync(file, "utf8")).toBe("a");
    rmSync(file);
    expect(cacheOf(await w.run({ doc: one }))).toEqual({ a: "hit", b: "miss" });
    expect(readFileSync(file, "utf8")).toBe("a");
  });

  it("a source is held to the workspace, and its content enters the key", async () => {
    await using w = await workshop();
    const one = doc({ a: { type: "text", params: { source: "in.txt" } } });
    const missing = await w.run({ doc: one });
    expect(end(missing).diagnostics).toMatchObject([{ code: "missing-source", nodeId: "a" }]);
    expect(missing.map(({ type }) => type)).toEqual(["run.started", "run.finished"]);
    writeFileSync(join(w.root, "in.txt"), "1");
    expect(cacheOf(await w.run({ doc: one }))).toEqual({ a: "miss" });
    expect(cacheOf(await w.run({ doc: one }))).toEqual({ a: "hit" });
    writeFileSync(join(w.root, "in.txt"), "22");
    expect(reasonsOf(await w.run({ doc: one }))).toEqual({ a: "the file of source changed" });
    const outside = await w.run({ doc: one, set: { "a.source": "../../etc/passwd" } });
    expect(end(outside).diagnostics).toMatchObject([{ code: "outside-workspace", nodeId: "a" }]);
  });
});
