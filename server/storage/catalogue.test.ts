import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serveFile } from "../../test/support/fileServer.ts";
import { projectRoot } from "../../test/support/imports.ts";
import { BlobStore } from "./blobs.ts";
import { type CatalogueEntry, readCatalogue } from "./catalogue.ts";
import { CatalogueFiles } from "./catalogueFiles.ts";
import { Ingest } from "./ingest.ts";
import { openWorkspace } from "./workspace.ts";

const shipped = readCatalogue(join(projectRoot, "models"));
const bytes = randomBytes(100_000);
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "edgewright-catalogue-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A workspace whose catalogue has one model, on a server of this machine. */
function workspace(change: Partial<CatalogueEntry>) {
  const base = shipped.find(({ id }) => id === "yolox-nano");
  if (!base) throw new Error("the catalogue lacks yolox-nano");
  const entries = [{ ...base, sha256: null, ...change }];
  const { home } = openWorkspace(root, join(root, ".edgewright"));
  const blobs = new BlobStore(home);
  const allowed = (url: URL) => url.hostname === "127.0.0.1";
  const catalogue = new CatalogueFiles({ home, entries, allowed });
  const ingest = new Ingest({ root, blobs, builtins: join(root, "ships"), catalogue, allowed });
  return { home, blobs, load: (source = "yolox-nano") => ingest.resolve(source, { kind: "model" }), ingest };
}

describe("the catalogue that ships", () => {
  it("has the models people come for, from their publishers, none with a digest made up", () => {
    const ids = shipped.map(({ id }) => id);
    for (const id of ["yolov10-n", "yolox-nano", "fastestdet", "rfb-320", "mobilenetv2", "minilm-l6", "yolo11-n"]) {
      expect(ids).toContain(id);
    }
    for (const { format, file, nms, preprocess, task } of shipped) {
      expect(file.endsWith(format === "onnx" ? ".onnx" : ".pt")).toBe(true);
      if (task !== "sentence-embedding") expect([nms?.decoder, preprocess?.width].includes(undefined)).toBe(false);
    }
  });

  it("has settings that fit what the models put out", () => {
    const settings = (id: string) => shipped.find((entry) => entry.id === id);
    expect(settings("fastestdet")?.preprocess).toMatchObject({
      interpolation: "area",
      mode: "stretch",
      scale: 1 / 255,
    });
    expect(settings("yolox-nano")?.preprocess).toMatchObject({ colorOrder: "BGR", scale: 1, pad: 114 });
  });
});

describe("a source that names a model of the catalogue", () => {
  it("is downloaded once; the digest of the first file is pinned and held to ever after", async () => {
    await using server = await serveFile(bytes);
    const { load, home, blobs } = workspace({ urls: [server.url] });
    const known = expect.objectContaining({ title: "YOLOX-Nano" });
    const files = [{ name: "yolox_nano.onnx", digest: sha256(bytes), size: bytes.length, known }];
    expect(await Promise.all([load(), load()])).toEqual([files, files]);
    expect(await load()).toEqual(files);
    expect(server.ranges).toHaveLength(1);
    expect(JSON.parse(readFileSync(join(home, "catalogue/pins.json"), "utf8"))).toMatchObject({
      "yolox-nano": { sha256: sha256(bytes) },
    });

    rmSync(blobs.path(sha256(bytes)));
    rmSync(join(home, "catalogue/yolox_nano.onnx"));
    server.bytes = randomBytes(10);
    await expect(load()).rejects.toMatchObject({ code: "wrong-sha256" });
    expect(existsSync(join(home, "catalogue/yolox_nano.onnx"))).toBe(false);
  });

  it("is held to the digest that the catalogue states, downloaded or put there by hand", async () => {
    await using server = await serveFile(bytes);
    const { load, home } = workspace({ urls: [server.url], sha256: sha256(bytes) });
    mkdirSync(join(home, "catalogue"));
    const place = join(home, "catalogue/yolox_nano.onnx");
    writeFileSync(place, "another file");
    await expect(load()).rejects.toMatchObject({ code: "wrong-sha256", fix: expect.stringContaining("Delete it") });
    rmSync(place);
    expect(await load()).toMatchObject([{ digest: sha256(bytes) }]);
  });

  it("without a network says what to get and where to put it, and finds it there", async () => {
    const { load, home } = workspace({ urls: ["http://127.0.0.1:9/yolox_nano.onnx"], sha256: sha256(bytes) });
    const place = join(home, "catalogue/yolox_nano.onnx");
    const error: unknown = await load().catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "offline" });
    for (const part of ["http://127.0.0.1:9/yolox_nano.onnx", place, sha256(bytes), "HTTPS_PROXY"]) {
      expect(error).toMatchObject({ fix: expect.stringContaining(part) });
    }
    writeFileSync(place, bytes);
    expect(await load()).toMatchObject([{ digest: sha256(bytes) }]);
  });

  it("comes with the settings it wants, whatever names the same file", async () => {
    const { load, home, ingest } = workspace({ sha256: sha256(bytes) });
    mkdirSync(join(home, "catalogue"));
    writeFileSync(join(home, "catalogue/yolox_nano.onnx"), bytes);
    const known = { title: "YOLOX-Nano", preprocess: { colorOrder: "BGR", width: 416 }, nms: { decoder: "yolox" } };
    expect(await load()).toMatchObject([{ known }]);
    writeFileSync(join(root, "mine.onnx"), bytes);
    expect(await ingest.resolve("mine.onnx", { kind: "model" })).toMatchObject([{ known }]);
    writeFileSync(join(root, "other.onnx"), "x");
    expect((await ingest.resolve("other.onnx", { kind: "model" }))[0]?.known).toBeUndefined();
  });

  it("is looked for at its next address where the first fails", async () => {
    await using gone = await serveFile(bytes);
    await using server = await serveFile(bytes);
    gone.status = 404;
    expect(await workspace({ urls: [gone.url, server.url] }).load()).toMatchObject([{ digest: sha256(bytes) }]);
  });

  it("is a model's only: a folder of images may have that name, and ./NAME is always a path", async () => {
    const { ingest, load } = workspace({});
    writeFileSync(join(root, "yolox-nano"), "mine");
    for (const [source, kind] of [["yolox-nano", "images"] as const, ["./yolox-nano", "model"] as const]) {
      expect(await ingest.resolve(source, { kind })).toMatchObject([{ size: 4 }]);
    }
    await expect(load("yolox-nono")).rejects.toMatchObject({
      code: "missing-source",
      fix: expect.stringContaining("The catalogue has yolox-nano."),
    });
  });

  it("that is PyTorch weights points to the node that exports them", async () => {
    const { load } = workspace({ format: "pytorch" });
    await expect(load()).rejects.toMatchObject({
      code: "needs-export",
      fix: expect.stringContaining("export-pytorch"),
    });
  });
});

describe("a model that ships", () => {
  it("comes with the settings beside it", async () => {
    const { home } = openWorkspace(root, join(root, ".edgewright"));
    const ingest = new Ingest({ root, blobs: new BlobStore(home), builtins: join(projectRoot, "models") });
    expect(await ingest.resolve("builtin:person-nano", { kind: "model" })).toMatchObject([
      {
        known: {
          title: "person-nano",
          preprocess: { mode: "letterbox-center", scale: 1 / 255 },
          nms: { classes: "person" },
        },
      },
    ]);
  });
});
