import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunEvent, runEventSchema } from "../../pipelines/document/events.ts";
import { writeTinyDetector } from "../../test/support/tinyDetector.ts";
import { startServer } from "../main.ts";
import { projectRoot } from "../projectRoot.ts";

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "edgewright-cli-"));
  mkdirSync(join(folder, ".edgewright"));
  await writeTinyDetector(folder);
  save("detect.json", detect);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const node = (type: string, params = {}) => ({ type, version: 1, params });
const pipeline = (nodes: object, edges: readonly string[] = []) => ({
  format: "edgewright.pipeline",
  version: 1,
  name: "detect",
  nodes,
  edges: edges.map((edge) => ({ from: edge.split(" ")[0], to: edge.split(" ")[1] })),
});
const detect = pipeline(
  {
    model: node("load-model"),
    images: node("load-images", { source: "images", labels: "labels" }),
    preprocess: node("preprocess", { width: 64, height: 64, mode: "stretch" }),
    infer: node("infer"),
    nms: node("nms", { decoder: "fastestdet", classes: "a,b" }),
    evaluate: node("evaluate"),
  },
  [
    "model.model infer.model",
    "images.images preprocess.source",
    "preprocess.tensors infer.tensors",
    "infer.tensors nms.tensors",
    "nms.detections evaluate.detections",
    "images.images evaluate.images",
  ],
);
function save(name: string, value: unknown): void {
  writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
}

function start(args: readonly string[], extra: Readonly<Record<string, string>> = {}): ChildProcess {
  const { EDGEWRIGHT_HOME: _, ...env } = process.env;
  const options = {
    cwd: folder,
    env: { ...env, ...extra },
    stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"],
  };
  return spawn(process.execPath, [join(projectRoot, "server/cli/bin.js"), ...args], options);
}

async function finish(child: ChildProcess) {
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, ...output };
}
const edgewright = (...args: string[]) => finish(start(args));

function eventsOf(stdout: string): RunEvent[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => runEventSchema.parse(JSON.parse(line)));
}

describe("edgewright run", () => {
  const withModel = ["run", "detect.json", "--set", "model.source=tiny.onnx", "--json"];

  it("runs a saved file: events alone on stdout, paths that open, then all hits", async () => {
    const { code, stdout, stderr } = await edgewright(...withModel);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const events = eventsOf(stdout);
    const last = events.at(-1);
    if (last?.type !== "run.finished") throw new Error("no end");
    expect(last.status).toBe("done");
    expect(last.outputs.evaluate?.report?.value).toMatchObject({ kind: "evaluate", images: 6 });
    expect(last.outputs.images?.images?.path).toMatch(/^\//);
    const second = await edgewright(...withModel);
    const caches = eventsOf(second.stdout).flatMap((event) => (event.type === "step.finished" ? [event.cache] : []));
    expect(caches).toEqual(Array(6).fill("hit"));
    const changed = await edgewright(...withModel, "--set", "nms.scoreThreshold=0.4");
    const missed = eventsOf(changed.stdout).flatMap((event) =>
      event.type === "step.finished" && event.cache === "miss" ? [event.node] : [],
    );
    expect(missed.sort()).toEqual(["evaluate", "nms"]);
  });

  it("shows steps and figures to a person", async () => {
    const { code, stderr } = await edgewright("run", "detect.json", "--set", "model.source=tiny.onnx");
    expect(code).toBe(0);
    expect(stderr).toContain("⟲ evaluate");
    const report = await edgewright("report", "last", "--json");
    expect(JSON.parse(report.stdout)).toMatchObject({ status: "done", reports: { "evaluate.report": { images: 6 } } });
  });

  it.each([
    ["a file that is not there", ["nothing.json"], "does not exist"],
    ["no JSON", ["broken.json"], "is no JSON"],
    ["another format", ["other.json"], "no pipeline"],
    ["an unknown node type", ["unknown.json"], "warp"],
    ["a missing wire", ["unwired.json"], "needs"],
    ["an unknown node in --set", ["detect.json", "--set", "nobody.x=1"], "nobody"],
    ["an unknown parameter in --set", ["detect.json", "--set", "nms.x=1"], '"x"'],
    ["a value of the wrong type", ["detect.json", "--set", "nms.maxDetections=many"], "nms"],
    ["a malformed --set", ["detect.json", "--set", "nms"], "node.param=value"],
    ["a path that is not there", ["detect.json", "--set", "model.source=no.onnx"], "model.source: there is no file"],
    ["a model that nobody chose", ["detect.json"], "nothing chosen"],
    ["a source outside the workspace", ["outside.json"], "leaves the workspace"],
    ["an unknown target", ["detect.json", "--target", "mars"], "mars"],
  ])("exits 2 for %s, last line run.finished, no stack", async (_what, args, says) => {
    save("broken.json", "{");
    save("other.json", { format: "other" });
    save("unknown.json", pipeline({ a: node("warp") }));
    save("unwired.json", pipeline({ a: node("infer") }));
    save("outside.json", pipeline({ a: node("load-model", { source: "../../x.onnx" }) }));
    const { code, stdout, stderr } = await edgewright("run", ...args, "--json");
    expect(code).toBe(2);
    const last = eventsOf(stdout).at(-1);
    expect(last).toMatchObject({ type: "run.finished", status: "failed" });
    expect(JSON.stringify(last)).toContain(JSON.stringify(says).slice(1, -1));
    expect(stdout + stderr).not.toMatch(/\bat .*\.(ts|js):\d+/);
  });

  it("exits 1 where a step fails, with node and fix", async () => {
    save("not.onnx", "this is no model");
    const { code, stdout } = await edgewright("run", "detect.json", "--set", "model.source=not.onnx", "--json");
    expect(code).toBe(1);
    const events = eventsOf(stdout);
    expect(events.find(({ type }) => type === "step.failed")).toMatchObject({
      node: "model",
      error: { fix: expect.any(String) },
    });
    expect(events.at(-1)).toMatchObject({ type: "run.finished", status: "failed" });
  });

  it("exits 130 on Ctrl-C, inside a native call too, and says how the run ended", async () => {
    save(
      "long.json",
      pipeline({ model: node("load-model"), profile: node("profile", { iterations: 100_000, maxSeconds: 600 }) }, [
        "model.model profile.model",
      ]),
    );
    const child = start(["run", "long.json", "--set", "model.source=tiny.onnx", "--json"]);
    const done = finish(child);
    child.stdout?.on("data", (chunk) => {
      if (/"step.progress","node":"profile"/.test(String(chunk))) child.kill("SIGINT");
    });
    const { code, stdout } = await done;
    expect(code).toBe(130);
    expect(eventsOf(stdout).at(-1)).toMatchObject({ type: "run.finished", status: "cancelled" });
  });

  it("joins the server that holds the workspace", async () => {
    const server = await startServer({ root: folder, port: 0 });
    try {
      const { code, stdout } = await edgewright(...withModel);
      expect(code).toBe(0);
      const events = eventsOf(stdout);
      expect(events.at(-1)).toMatchObject({ status: "done" });
      expect(await server.services.executor.events(events[0]?.runId ?? "")).toEqual(events);
      const wrong = await edgewright("run", "detect.json", "--set", "nobody.x=1", "--json");
      expect(wrong.code).toBe(2);
    } finally {
      await server.close();
    }
  });
});

describe("the other commands", () => {
  it("help is exit 0, an unknown option or command exit 2", async () => {
    expect(await edgewright("--help")).toMatchObject({ code: 0, stdout: expect.stringContaining("edgewright") });
    expect(await edgewright("run", "detect.json", "--nothing")).toMatchObject({ code: 2, stdout: "" });
    expect((await edgewright("dance")).code).toBe(2);
    expect(await edgewright("--version")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    expect((await edgewright("setup", "nothing")).code).toBe(2);
  });

  it("says which variable of the environment is wrong", async () => {
    const { code, stderr } = await finish(start(["nodes"], { EDGEWRIGHT_STEP_TIMEOUT: "abc" }));
    expect(code).toBe(2);
    expect(stderr).toContain('EDGEWRIGHT_STEP_TIMEOUT to "abc"');
  });

  it("says what is wrong in the arguments once", async () => {
    const { code, stdout, stderr } = await edgewright("run", "detect.json", "--set", "nobody.x=1");
    expect(code).toBe(2);
    expect((stdout + stderr).split('no node "nobody"')).toHaveLength(2);
  });

  it("check says what is wrong; nodes, targets and clean speak JSON and figures", async () => {
    save("chosen.json", pipeline({ model: node("load-model", { source: "tiny.onnx" }) }));
    expect(await edgewright("check", "chosen.json")).toMatchObject({ code: 0 });
    save("unwired.json", pipeline({ a: node("infer") }));
    const wrong = await edgewright("check", "unwired.json", "--json");
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.stdout)).toContainEqual(expect.objectContaining({ code: "missing-input", nodeId: "a" }));
    const none = await edgewright("check", "nothing.json", "--json");
    expect({ code: none.code, said: JSON.parse(none.stdout) }).toMatchObject({
      code: 2,
      said: [{ code: "no-document" }],
    });
    expect(JSON.parse((await edgewright("runs", "--json")).stdout)).toContainEqual(
      expect.objectContaining({ pipeline: "detect" }),
    );
    expect((await edgewright("report", "nope")).stderr).toContain("edgewright runs");
    const nodes: { type: string; params: unknown }[] = JSON.parse((await edgewright("nodes", "--json")).stdout);
    expect(nodes.find(({ type }) => type === "nms")).toMatchObject({ params: { type: "object" } });
    expect(JSON.parse((await edgewright("targets", "--json")).stdout)).toContainEqual(
      expect.objectContaining({ id: "local-cpu" }),
    );
    expect((await edgewright("clean", "--keep", "1")).stdout).toMatch(/^Freed .*; .* stay\.\n$/);
  });
});
