import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Graph, Model } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { temporaryStore } from "../../test/support/temporaryStore.ts";
import { ResultCache } from "./cache.ts";
import { clean } from "./clean.ts";
import { lockHolder, takeLock } from "./lock.ts";
import { PipelineStore } from "./pipelines.ts";
import { RunStore } from "./runs.ts";
import { findRoot } from "./workspace.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("blobs", () => {
  it("are named by their bytes, stored once, read-only", async () => {
    const { blobs, home } = temporaryStore();
    const digest = sha256("hello");
    expect(await blobs.put(bytes("hello"))).toEqual({ digest, size: 5 });
    expect(await blobs.put(bytes("hello"))).toEqual({ digest, size: 5 });
    const path = join(home, "blobs", digest.slice(0, 2), digest.slice(2));
    expect(readFileSync(path, "utf8")).toBe("hello");
    expect(statSync(path).mode & 0o222).toBe(0);
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
  });

  it("a stream that fails leaves nothing", async () => {
    const { blobs, home } = temporaryStore();
    async function* failing() {
      yield bytes("half");
      throw new Error("cut");
    }
    await expect(blobs.putStream(failing())).rejects.toThrow("cut");
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
    expect(readdirSync(join(home, "blobs"))).toEqual([]);
  });

  it("what is no digest is no path", () => {
    expect(() => temporaryStore().blobs.path("../../etc/passwd")).toThrow("not a SHA-256");
  });
});

describe("artifacts", () => {
  it("a tree is a folder of hard links; names stay within it", async () => {
    const { artifacts, blobs } = temporaryStore();
    const a = await blobs.put(bytes("a"));
    const tree = await artifacts.putTree("images", { "x/a.txt": a, "b.txt": a });
    expect(tree).toMatchObject({ kind: "images", form: "tree", size: 2 });
    const folder = await artifacts.path(tree);
    expect(readFileSync(join(folder, "x/a.txt"), "utf8")).toBe("a");
    expect(statSync(join(folder, "b.txt")).ino).toBe(statSync(blobs.path(a.digest)).ino);
    expect(await artifacts.path(tree)).toBe(folder);
    // Equal folders have one digest, whatever the order.
    expect((await artifacts.putTree("images", { "b.txt": a, "x/a.txt": a })).digest).toBe(tree.digest);
    for (const name of ["../out", "/etc/x", "a//b", "a\\b", "."]) {
      await expect(artifacts.putTree("images", { [name]: a })).rejects.toThrow("not a name");
    }
  });

  it("reads bounded, and at any offset", async () => {
    const { artifacts } = temporaryStore();
    const ref = await artifacts.put("model", bytes("0123456789"));
    await expect(artifacts.read(ref, 5)).rejects.toMatchObject({ code: "too-large" });
    const source = await artifacts.source(ref);
    expect(new TextDecoder().decode(await source.read(3, 4))).toBe("3456");
    await expect(source.read(8, 3)).rejects.toThrow("past the end");
    await expect(artifacts.read({ digest: "0".repeat(64) })).rejects.toMatchObject({ code: "missing-blob" });
  });

  it("a large model keeps its untouched tensors where they are", async () => {
    const { artifacts, blobs } = temporaryStore();
    const graph = new Graph("big");
    const [one, two] = [1, 2].map((seed) => new Float32Array(36 * 2 ** 20).fill(seed));
    const model = new Model(graph);
    const x = graph.addInput("x", { elemType: 1, shape: [1] });
    const weights = [one, two].map((data, i) => graph.addInitializer(`w${i}`, Tensor.f32([36 * 2 ** 20], data ?? [])));
    const node = graph.addNode({ opType: "Sum", inputs: [x, ...weights], outputs: ["y"] });
    graph.addOutput(node.output());
    const ref = await artifacts.saveModel(model);
    expect(ref.form).toBe("tree");
    const files = await artifacts.files(ref);
    expect(Object.keys(files)).toHaveLength(3);
    const again = await artifacts.openModel(ref);
    expect((await again.graph.find("w1")?.initializer?.floats())?.[7]).toBe(2);
    again.graph
      .find("w0")
      ?.uses[0]?.node.setInput(1, weights[0] ? again.graph.addInitializer("small", Tensor.f32([1], [3])) : null);
    const before = new Set(
      readdirSync(join(blobs.home, "blobs")).flatMap((d) => readdirSync(join(blobs.home, "blobs", d))),
    );
    const changed = await artifacts.files(await artifacts.saveModel(again));
    const after = readdirSync(join(blobs.home, "blobs")).flatMap((d) => readdirSync(join(blobs.home, "blobs", d)));
    expect(Object.keys(changed).filter((name) => name !== "model.onnx")).toEqual(
      Object.keys(files).filter((name) => name !== "model.onnx"),
    );
    // The new structure and the new manifest; no weights.
    expect(after.filter((name) => !before.has(name))).toHaveLength(2);
  });
});

describe("sources", () => {
  it("are paths below the root, and nothing else on this disk", async () => {
    const { root, ingest } = temporaryStore();
    mkdirSync(join(root, "set/sub"), { recursive: true });
    writeFileSync(join(root, "set/b.txt"), "b");
    writeFileSync(join(root, "set/sub/a.txt"), "a");
    writeFileSync(join(root, "set/.hidden"), "h");
    expect(await ingest.resolve("")).toEqual([]);
    expect(await ingest.resolve("set/b.txt")).toEqual([{ name: "b.txt", digest: sha256("b"), size: 1 }]);
    expect((await ingest.resolve("set")).map(({ name }) => name)).toEqual(["b.txt", "sub/a.txt"]);
    symlinkSync("/etc/passwd", join(root, "link"));
    symlinkSync("/etc/passwd", join(root, "set/link"));
    for (const source of ["../x", "/etc/passwd", "link", "set"]) {
      await expect(ingest.resolve(source)).rejects.toMatchObject({ code: "outside-workspace" });
    }
    await expect(ingest.resolve("nothing")).rejects.toMatchObject({ code: "missing-source" });
    await expect(ingest.resolve("ftp://x/y")).rejects.toMatchObject({ code: "bad-source" });
    await expect(ingest.resolve("http://x/y")).rejects.toMatchObject({ code: "bad-source" });
    await expect(ingest.resolve("https://x/y")).rejects.toMatchObject({ code: "missing-sha256" });
  });

  it("name what was taken in from anywhere by digest", async () => {
    const { ingest } = temporaryStore();
    const elsewhere = mkdtempSync(join(tmpdir(), "edgewright-elsewhere-"));
    onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
    writeFileSync(join(elsewhere, "m.onnx"), "m");
    const file = await ingest.ingestPath(join(elsewhere, "m.onnx"));
    expect(file).toBe(`sha256:${sha256("m")}#m.onnx`);
    expect(await ingest.resolve(file)).toEqual([{ name: "m.onnx", digest: sha256("m"), size: 1 }]);
    const folder = await ingest.ingestPath(elsewhere);
    expect(await ingest.resolve(folder)).toEqual([{ name: "m.onnx", digest: sha256("m"), size: 1 }]);
    await expect(ingest.resolve(file, { sha256: sha256("other") })).rejects.toMatchObject({ code: "wrong-sha256" });
    await expect(ingest.resolve(`sha256:${"0".repeat(64)}`)).rejects.toMatchObject({ code: "missing-source" });
  });

  it("are what the project ships, by name", async () => {
    const { root, ingest } = temporaryStore();
    await expect(ingest.resolve("builtin:x")).rejects.toMatchObject({ code: "unknown-builtin" });
    mkdirSync(join(root, "ships"));
    writeFileSync(join(root, "ships/tiny.onnx"), "t");
    expect(await ingest.resolve("builtin:tiny")).toMatchObject([{ name: "tiny.onnx" }]);
    writeFileSync(join(root, "ships/scenes.json"), "{}");
    expect(await ingest.resolve("builtin:scenes")).toMatchObject([{ name: "scenes.json" }]);
    mkdirSync(join(root, "ships/nano"));
    writeFileSync(join(root, "ships/nano/README.md"), "a card");
    await expect(ingest.resolve("builtin:nano")).rejects.toMatchObject({ code: "unknown-builtin" });
    writeFileSync(join(root, "ships/nano/nano.onnx"), "n");
    expect(await ingest.resolve("builtin:nano")).toMatchObject([{ name: "nano.onnx" }]);
    await expect(ingest.resolve("builtin:../ships")).rejects.toMatchObject({
      fix: expect.stringContaining("scenes, tiny"),
    });
    await expect(ingest.resolve("builtin:constructor")).rejects.toMatchObject({ code: "unknown-builtin" });
  });

  it("are hashed again only when the file changed", async () => {
    const { root, ingest, blobs } = temporaryStore();
    const path = join(root, "x");
    writeFileSync(path, "1");
    await ingest.resolve("x");
    let reads = 0;
    const put = blobs.putStream.bind(blobs);
    blobs.putStream = (chunks) => {
      reads++;
      return put(chunks);
    };
    await ingest.resolve("x");
    expect(reads).toBe(0);
    writeFileSync(path, "22");
    expect(await ingest.resolve("x")).toMatchObject([{ digest: sha256("22") }]);
    expect(reads).toBe(1);
  });
});

describe("saved pipelines", () => {
  const doc = {
    format: "edgewright.pipeline",
    version: 1,
    name: "a",
    target: "local-cpu",
    nodes: {},
    edges: [],
  } as const;

  it("are saved against the revision they came from, and lose nothing", async () => {
    const { root } = temporaryStore();
    const pipelines = new PipelineStore(root, {});
    const first = await pipelines.save("a", { ...doc, edges: [] }, null);
    expect(await pipelines.get("a")).toMatchObject({ doc, revision: first.revision });
    const second = await pipelines.save("a", { ...doc, target: "orin", edges: [] }, first.revision);
    await expect(pipelines.save("a", { ...doc, edges: [] }, first.revision)).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(pipelines.save("a", { ...doc, edges: [] }, null)).rejects.toMatchObject({ code: "conflict" });
    expect((await pipelines.get("a")).revision).toBe(second.revision);
    await pipelines.rename("a", "b");
    expect((await pipelines.list()).map(({ name }) => name)).toEqual(["b"]);
    expect((await pipelines.get("b")).doc.name).toBe("b");
    await pipelines.remove("b");
    await expect(pipelines.get("b")).rejects.toMatchObject({ code: "unknown-pipeline" });
    await expect(pipelines.get("../a")).rejects.toMatchObject({ code: "bad-name" });
    writeFileSync(join(root, "pipelines/broken.json"), "{");
    await expect(pipelines.get("broken")).rejects.toMatchObject({ code: "bad-json" });
    expect(await pipelines.list()).toMatchObject([{ name: "broken", nodes: 0 }]);
  });
});

describe("a run's log", () => {
  it("survives a line cut short, and goes on after it", async () => {
    const { home } = temporaryStore();
    const runs = new RunStore(home);
    const request = {
      pipeline: "p",
      target: "local-cpu",
      fresh: false,
      pid: 2 ** 22 + 1,
      time: new Date().toISOString(),
    };
    const runId = await runs.create(request);
    runs.open(runId).append({ type: "run.started", pipeline: "p", target: "local-cpu", plan: ["a"] });
    const path = join(home, "runs", runId, "events.ndjson");
    writeFileSync(path, `${readFileSync(path, "utf8")}{"runId":"x","se`);
    expect(await runs.abandoned()).toEqual([]);
    expect(await new RunStore(home).abandoned()).toEqual([runId]);
    runs.open(runId).append({ type: "run.finished", status: "done", outputs: {} });
    expect(runs.events(runId).map(({ seq, type }) => [seq, type])).toEqual([
      [0, "run.started"],
      [1, "run.finished"],
    ]);
    expect(await runs.list({ pipeline: "p" })).toMatchObject([{ runId, status: "done" }]);
    expect(await runs.list({ pipeline: "q" })).toEqual([]);
    await expect(runs.request("../x")).rejects.toMatchObject({ code: "unknown-run" });
  });
});

describe("clean", () => {
  it("frees the longest unused first; never what a run in progress or a saved pipeline needs", async () => {
    const { root, home, blobs } = temporaryStore();
    const cache = new ResultCache(blobs);
    const runs = new RunStore(home);
    const old = new Date(Date.now() - 3_600_000);
    const put = async (text: string, time: Date) => {
      const stored = await blobs.put(bytes(text));
      const { utimesSync } = await import("node:fs");
      utimesSync(blobs.path(stored.digest), old, old);
      const outputs = { model: { kind: "model" as const, ...stored } };
      await cache.put(sha256(`key ${text}`), {
        version: 1,
        outputs,
        previews: [],
        effects: "pure",
        ms: 1,
        time: old.toISOString(),
      });
      utimesSync(join(home, "cache", `${sha256(`key ${text}`)}.json`), time, time);
      return stored.digest;
    };
    const upload = await put("upload", old);
    const older = await put("older", new Date(old.getTime() + 1000));
    const newer = await put("newer", new Date(old.getTime() + 2000));
    const texts = [`{"source":"sha256:${upload}#x"}`];
    const { freedBytes } = await clean({ blobs, cache, runs, texts, graceMs: 60_000, budget: "uploadnewer".length });
    expect(freedBytes).toBe("older".length);
    expect([await blobs.has(upload), await blobs.has(older), await blobs.has(newer)]).toEqual([true, false, true]);
    const request = { pipeline: "p", target: "local-cpu", fresh: false, pid: process.pid, time: old.toISOString() };
    const log = runs.open(await runs.create(request));
    await clean({ blobs, cache, runs, texts: [], graceMs: 60_000, budget: 0 });
    expect(await blobs.has(newer)).toBe(true);
    log.append({ type: "run.finished", status: "done", outputs: {} });
    await clean({ blobs, cache, runs, texts: [], graceMs: 60_000, budget: 0 });
    expect([await blobs.has(upload), await blobs.has(newer)]).toEqual([false, false]);
    expect(readdirSync(root)).toEqual([".edgewright"]);
  });
});

describe("the workspace", () => {
  it("is the nearest folder upwards that holds .edgewright, else the fallback", () => {
    const { root } = temporaryStore();
    mkdirSync(join(root, "a/b"), { recursive: true });
    expect(findRoot(join(root, "a/b"), "/nowhere")).toBe(root);
    expect(findRoot("/", "/nowhere")).toBe("/nowhere");
  });

  it("has one server; a dead one's lock is taken over", () => {
    const { home } = temporaryStore();
    writeFileSync(join(home, "server.json"), JSON.stringify({ pid: 2 ** 22 + 1, port: 1 }));
    expect(lockHolder(home)).toBeUndefined();
    const lock = takeLock(home, 3000);
    if ("holder" in lock) throw new Error("the lock was not taken");
    writeFileSync(join(home, "server.json"), JSON.stringify({ pid: process.ppid, port: 4000 }));
    expect(takeLock(home, 3001)).toEqual({ holder: { pid: process.ppid, port: 4000 } });
    lock.release();
    expect(lockHolder(home)).toBeUndefined();
  });
});
