import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../pipelines/document/events.ts";
import { runEventSchema } from "../../pipelines/document/events.ts";
import { reduceRun } from "../../pipelines/document/reduceRun.ts";
import { bundleStubStep, removeFolder, stubExecutor, temporaryRoot } from "../../test/support/stubExecutor.ts";

let bundles = "";
let root = "";
let running: ChildProcess | undefined;
beforeAll(async () => {
  bundles = await bundleStubStep();
  root = await temporaryRoot();
});
afterAll(async () => {
  running?.kill("SIGKILL");
  await removeFolder(bundles);
  await removeFolder(root);
});

const doc = {
  format: "edgewright.pipeline",
  version: 1,
  name: "test",
  nodes: {
    a: { type: "text", version: 1 },
    b: { type: "text", version: 1, params: { text: "b", delayMs: 1500 } },
  },
  edges: [{ from: "a.model", to: "b.after" }],
};

async function eventsUntil(child: ChildProcess, wanted: (event: RunEvent) => boolean): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  if (!child.stdout) throw new Error("no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const event = runEventSchema.parse(JSON.parse(line));
    events.push(event);
    if (wanted(event)) break;
  }
  return events;
}

describe("a run whose process was killed", () => {
  it("is taken up by the next one, and no finished step is done again", async () => {
    const step = join(bundles, "step.js");
    running = spawn(process.execPath, [join(bundles, "runner.js"), step, root, JSON.stringify(doc)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const before = await eventsUntil(running, (event) => event.type === "step.started" && event.node === "b");
    running.kill("SIGKILL");
    await once(running, "exit");
    const runId = before[0]?.runId ?? "";

    const { executor, runs } = stubExecutor(step, { root });
    expect(await runs.abandoned()).toEqual([runId]);
    expect(await executor.resume()).toEqual([runId]);
    for await (const _ of executor.watch(runId));
    await executor.close();
    const events = await executor.events(runId);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
    const after = events.slice(before.length);
    expect(after.filter(({ type }) => type === "step.started")).toEqual([expect.objectContaining({ node: "b" })]);
    expect(after).toContainEqual(expect.objectContaining({ type: "step.finished", node: "a", cache: "hit" }));
    const state = reduceRun(events);
    expect(state.status).toBe("done");
    expect(state.steps.a?.state).toBe("hit");
    expect(await runs.abandoned()).toEqual([]);
  });

  it("closing leaves a run to the next process instead of ending it", async () => {
    const first = stubExecutor(join(bundles, "step.js"), { root });
    const { runId } = await first.executor.submit({ doc, set: { "b.text": "other" } });
    for await (const event of first.executor.watch(runId)) if (event.type === "step.started") break;
    await first.executor.close();
    expect(reduceRun(await first.executor.events(runId)).status).toBe("running");
    const second = stubExecutor(join(bundles, "step.js"), { root });
    expect(await second.executor.resume()).toEqual([runId]);
    for await (const _ of second.executor.watch(runId));
    expect(reduceRun(await second.executor.events(runId)).status).toBe("done");
    await second.executor.close();
  });
});
