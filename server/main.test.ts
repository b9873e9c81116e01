import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { EventSource } from "eventsource";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunEvent, runEventSchema } from "../pipelines/document/events.ts";
import { type RunningServer, startServer } from "./main.ts";
import type { AppRouter } from "./trpc/router.ts";

let root: string;
let server: RunningServer;
const client = () =>
  createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (op) => op.type === "subscription",
        true: httpSubscriptionLink({ url: `${server.url}/api/trpc`, EventSource }),
        false: httpBatchLink({ url: `${server.url}/api/trpc` }),
      }),
    ],
  });
const doc = {
  format: "edgewright.pipeline",
  version: 1,
  name: "first",
  target: "local-cpu",
  nodes: {},
  edges: [],
} as const;
const saved = { ...doc, nodes: {}, edges: [] };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "edgewright-server-"));
  server = await startServer({ root, port: 0 });
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

describe("pipelines", () => {
  it("saves on the revision it was based on and refuses a stale one", async () => {
    const api = client();
    const { revision } = await api.pipelines.save.mutate({ name: "first", doc: saved, baseRevision: null });
    const moved = { ...saved, target: "elsewhere" };
    await api.pipelines.save.mutate({ name: "first", doc: moved, baseRevision: revision });
    const stale = api.pipelines.save.mutate({ name: "first", doc: saved, baseRevision: revision });
    await expect(stale).rejects.toMatchObject({ data: { code: "CONFLICT" } });
    expect((await api.pipelines.get.query({ name: "first" })).doc.target).toBe("elsewhere");
  });
  it("says what keeps a document from running, without a stack", async () => {
    const found = await client().pipelines.check.mutate({ doc: { ...saved, colour: "red" } });
    expect(found).toMatchObject([{ code: "bad-document", severity: "error" }]);
    const unknown = await client()
      .pipelines.get.query({ name: "none" })
      .catch((error: unknown) => error);
    expect(unknown).toMatchObject({ data: { code: "NOT_FOUND" } });
    expect(JSON.stringify(unknown)).not.toContain("server/");
  });
  it.each(["../etc", "a/b", "A"])("refuses the name %s", async (name) => {
    await expect(client().pipelines.get.query({ name })).rejects.toMatchObject({ data: { code: "BAD_REQUEST" } });
  });
});

describe("runs", () => {
  it("ends a document that cannot run with its diagnostics, and a watch resumes after what was seen", async () => {
    const api = client();
    const { runId } = await api.runs.start.mutate({ doc: saved });
    const watch = (lastEventId?: string) =>
      new Promise<RunEvent[]>((resolve, reject) => {
        const events: RunEvent[] = [];
        const input = lastEventId === undefined ? { runId } : { runId, lastEventId };
        const subscription = api.runs.watch.subscribe(input, {
          onData: ({ data }) => {
            events.push(data);
            if (data.type !== "run.finished") return;
            subscription.unsubscribe();
            resolve(events);
          },
          onError: reject,
        });
      });
    const all = await watch();
    expect(all.map((event) => event.type)).toEqual(["run.started", "run.finished"]);
    expect(all.at(-1)).toMatchObject({ status: "failed", diagnostics: [{ code: "empty" }] });
    expect((await watch("0")).map((event) => event.seq)).toEqual([1]);
  });
});

describe("what strangers send", () => {
  const put = (name: string, body: string) =>
    fetch(`${server.url}/api/openapi/pipelines/${name}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body,
    });

  it("a saved document takes the name of its file and drops params that equal their defaults", async () => {
    const nodes = { nms: { type: "nms", version: 1, params: { scoreThreshold: 0.25, iouThreshold: 0.4 } } };
    const answer = await put("other", JSON.stringify({ doc: { ...saved, nodes }, baseRevision: null }));
    expect(answer.status).toBe(200);
    const { doc } = await client().pipelines.get.query({ name: "other" });
    expect(doc.name).toBe("other");
    expect(doc.nodes.nms?.params).toEqual({ iouThreshold: 0.4 });
  });
  it.each([
    ["a node called __proto__", '{"__proto__": {"type": "nms", "version": 1}}'],
    ["a parameter called __proto__", '{"a": {"type": "nms", "version": 1, "params": {"__proto__": 1}}}'],
    ["what is nested too deep", `{"a": ${"[".repeat(3000)}${"]".repeat(3000)}}`],
  ])("refuses %s by name", async (_what, nodes) => {
    const doc = JSON.stringify(saved).replace('"nodes":{}', `"nodes":${nodes}`);
    const answer = await fetch(`${server.url}/api/trpc/pipelines.save`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"name": "first", "doc": ${doc}, "baseRevision": null}`,
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/__proto__|nested deeper/);
  });
  it("answers wrong names and unknown digests with 400 and 404", async () => {
    const headers = { "x-file-name": "%E0%A4%A" };
    expect((await fetch(`${server.url}/api/blobs`, { method: "POST", body: "{}", headers })).status).toBe(400);
    expect((await fetch(`${server.url}/api/blobs/${"0".repeat(64)}/%E0%A4%A`)).status).toBe(400);
    expect((await fetch(`${server.url}/api/openapi/artifacts/${"0".repeat(64)}`)).status).toBe(404);
    const { digest, size } = await (await fetch(`${server.url}/api/blobs`, { method: "POST", body: "{}" })).json();
    const up = client().artifacts.folder.mutate({ name: "set", files: { "../a.json": { digest, size } } });
    await expect(up).rejects.toMatchObject({ data: { code: "BAD_REQUEST" } });
  });
});

describe("bytes", () => {
  const send = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/api/blobs`, { method: "POST", body, headers });

  it("takes a file by its content, gives it back, and joins files into a folder", async () => {
    const sent = await send('{"a": 1}', { "x-file-name": encodeURIComponent("../süß.json") });
    expect(sent.status).toBe(201);
    const { digest, size, source } = await sent.json();
    expect(source).toBe(`sha256:${digest}#süß.json`);
    const got = await fetch(`${server.url}/api/blobs/${digest}?download=x.json`);
    expect(await got.text()).toBe('{"a": 1}');
    expect(got.headers.get("content-disposition")).toContain("x.json");
    const folder = await client().artifacts.folder.mutate({ name: "set", files: { "a.json": { digest, size } } });
    const tree = folder.source.slice("sha256:".length).split("#")[0];
    expect(await (await fetch(`${server.url}/api/blobs/${tree}/a.json`)).text()).toBe('{"a": 1}');
    expect((await fetch(`${server.url}/api/blobs/${tree}/constructor`)).status).toBe(404);
  });
  it("gives a folder as an archive that tar reads", async () => {
    const long = `${"d".repeat(60)}/${"e".repeat(60)}/x.json`;
    const { digest, size } = await (await send('{"b": 2}')).json();
    const files = { "a.json": { digest, size }, [long]: { digest, size } };
    const { source } = await client().artifacts.folder.mutate({ name: "set", files });
    const got = await fetch(`${server.url}/api/blobs/${source.slice(7, 71)}?download=set.tar`);
    await writeFile(join(root, "set.tar"), Buffer.from(await got.arrayBuffer()));
    const listed = execFileSync("tar", ["-tf", join(root, "set.tar")], { encoding: "utf8" });
    expect(listed.trim().split("\n").sort()).toEqual(["a.json", long]);
    expect(execFileSync("tar", ["-xOf", join(root, "set.tar"), long], { encoding: "utf8" })).toBe('{"b": 2}');
  });
  it("refuses what no pipeline can use", async () => {
    const sent = await send("\u007fELF\u0002\u0001\u0000\u0000");
    expect(sent.status).toBe(415);
    expect((await sent.json()).fix).toContain(".onnx");
  });
  it.each(["/api/blobs/x", `/api/blobs/${"0".repeat(64)}`])("has nothing at %s", async (path) => {
    expect((await fetch(server.url + path)).status).toBe(404);
  });
});

describe("plain HTTP", () => {
  it("describes itself and answers what tRPC answers", async () => {
    const document = await (await fetch(`${server.url}/api/openapi.json`)).json();
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(["/pipelines", "/runs", "/targets", "/runs/{runId}/events"]),
    );
    const sources = await (await fetch(`${server.url}/api/openapi/sources`)).json();
    for (const [source, kinds] of [
      ["builtin:person-nano", ["model"]],
      ["builtin:scene-video", ["video", "images"]],
      ["fastestdet", ["model"]],
      ["yolo11-n", ["file"]],
    ]) {
      expect(sources).toContainEqual(expect.objectContaining({ source, kinds }));
    }
    const targets = await (await fetch(`${server.url}/api/openapi/targets`)).json();
    const here = expect.objectContaining({ id: "local-cpu", available: true, provenance: "measured" });
    expect(targets).toContainEqual(here);
  });
  it("streams the events of a run, and what follows one of them", async () => {
    const { runId } = await client().runs.start.mutate({ doc: saved });
    const events = async (query = "", headers = {}) => {
      const answer = await fetch(`${server.url}/api/openapi/runs/${runId}/events${query}`, { headers });
      const lines = (await answer.text()).split("\n").filter((line) => line.startsWith("data: "));
      return lines.map((line) => runEventSchema.parse(JSON.parse(line.slice("data: ".length))).type);
    };
    expect(await events()).toEqual(["run.started", "run.finished"]);
    expect(await events("?after=0")).toEqual(["run.finished"]);
    expect(await events("", { "last-event-id": "0" })).toEqual(["run.finished"]);
    expect((await fetch(`${server.url}/api/openapi/runs/abcdefgh-0000/events`)).status).toBe(404);
  });
  it("refuses a change asked for by another site's page", async () => {
    const headers = { origin: "http://evil.example", "content-type": "application/json" };
    const answer = await fetch(`${server.url}/api/openapi/runs`, { method: "POST", headers, body: "{}" });
    expect(answer.status).toBe(403);
  });
});

it("a second server on one workspace says where the first one is", async () => {
  const other = await mkdtemp(join(tmpdir(), "edgewright-held-"));
  await mkdir(join(other, ".edgewright"));
  await writeFile(join(other, ".edgewright", "server.json"), JSON.stringify({ pid: process.ppid, port: 4567 }));
  await expect(startServer({ root: other, port: 0 })).rejects.toThrow("http://localhost:4567");
  await rm(other, { recursive: true });
});

it("a port in use is said with the way out", async () => {
  const root = await mkdtemp(join(tmpdir(), "edgewright-port-"));
  const port = Number(new URL(server.url).port);
  await expect(startServer({ root, port })).rejects.toMatchObject({ code: "port-in-use" });
  await rm(root, { recursive: true });
});
