/** The live view as a user has it: Chromium with a film for a camera, boxes drawn in the page, nothing sent anywhere. */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { fakeCamera } from "../support/fakeCamera.ts";
import { putPipeline, type TestServer, testServer } from "../support/server.ts";
import { TINY_SIDE, writeTinyDetector } from "../support/tinyDetector.ts";

const slowly = { timeout: 30_000 };
const node = (type: string, params: Record<string, unknown> = {}) => ({
  type,
  version: 1,
  params,
  position: { x: 0, y: 0 },
});
const doc = {
  format: "edgewright.pipeline",
  version: 1,
  name: "live",
  target: "local-cpu",
  nodes: {
    model: node("load-model", { source: "tiny.onnx" }),
    images: node("load-images", { source: "images" }),
    preprocess: node("preprocess", { width: TINY_SIDE, height: TINY_SIDE, mode: "stretch" }),
    calibrate: node("calibrate"),
    quantize: node("quantize"),
    compile: node("compile-onnxruntime"),
    infer: node("infer"),
    nms: node("nms", { iouThreshold: 0.1 }),
    "infer-fp32": node("infer"),
    "nms-fp32": node("nms", { iouThreshold: 0.1 }),
  },
  edges: [
    { from: "images.images", to: "preprocess.source" },
    { from: "model.model", to: "quantize.model" },
    { from: "model.model", to: "calibrate.model" },
    { from: "preprocess.tensors", to: "calibrate.tensors" },
    { from: "calibrate.calibration", to: "quantize.calibration" },
    { from: "quantize.model", to: "compile.model" },
    { from: "compile.model", to: "infer.model" },
    { from: "model.model", to: "infer-fp32.model" },
    { from: "preprocess.tensors", to: "infer.tensors" },
    { from: "preprocess.tensors", to: "infer-fp32.tensors" },
    { from: "infer.tensors", to: "nms.tensors" },
    { from: "infer-fp32.tensors", to: "nms-fp32.tensors" },
  ],
};

let server: TestServer;
let browser: Browser;
let page: Page;
let film: string;
const errors: string[] = [];
const requests: Request[] = [];
const id = (testId: string) => page.getByTestId(testId);
const boxes = () => id("live-box").count();
const frame = async () => Number((await id("live").getAttribute("data-frame"))?.slice("frame-".length));
// The worker asks for models itself: that these are seen shows that its requests are.
const models = () => requests.filter((request) => request.url().includes("/api/blobs/"));

beforeAll(async () => {
  server = await testServer();
  await writeTinyDetector(server.root);
  film = await mkdtemp(join(tmpdir(), "edgewright-film-"));
  browser = await launchBrowser(await fakeCamera(join(film, "camera.y4m")));
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("request", (request) => requests.push(request));
  page.setDefaultTimeout(30_000);
  await putPipeline(server, "live", doc);
  await page.addInitScript(() => localStorage.setItem("edgewright.pipeline", "live"));
  await page.goto(`${server.url}/webcam`);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  if (film) await rm(film, { recursive: true });
});

describe("the live view", () => {
  it("says to run the pipeline where no run has made a model", async () => {
    await expect.poll(() => id("live-fault").textContent(), slowly).toMatch(/no run of live.*Run the pipeline once/);
    expect(await id("start-camera").isDisabled()).toBe(true);
  });

  it("takes the model of a run as it ends, without a reload", async () => {
    await id("run").click();
    await expect.poll(() => id("start-camera").isEnabled(), slowly).toBe(true);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  it("draws a box around what the camera shows", async () => {
    await id("start-camera").click();
    // Passed over: what the compiler made is for the server's processor, not for this runtime.
    expect(await page.textContent(".live-settings")).toMatch(/quantize\.model/);
    await expect.poll(boxes, slowly).toBe(1);
    const box = await id("live-box").boundingBox();
    const stage = await page.locator('[data-testid="live"] figure').boundingBox();
    // The square is a quarter of the picture each way; detector and JPEG-like capture leave a tenth.
    expect((box?.width ?? 0) / (stage?.width ?? 1)).toBeCloseTo(0.25, 1);
    expect((box?.height ?? 0) / (stage?.height ?? 1)).toBeCloseTo(0.25, 1);
  });

  it("times each stage in this browser", async () => {
    for (const stage of ["read", "preprocess", "infer", "nms", "fps"]) {
      await expect.poll(() => id(`live-${stage}`).textContent(), slowly).toMatch(/^[\d.,]+$/);
    }
    expect(await id("live-figures").textContent()).toMatch(/In this browsermeasured.*onnxruntime-web [\d.]+ wasm/);
  });

  it("passes an accessibility check", async () => {
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
    const found = await page.evaluate<string[]>(
      "axe.run('main').then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))",
    );
    expect(found).toEqual([]);
  });

  it("runs the other model when the switch says so", async () => {
    await id("choose-infer-fp32").click();
    await expect.poll(() => page.textContent(".live-settings"), slowly).toMatch(/model\.model/);
    await expect.poll(() => models().length, slowly).toBe(2);
    const from = await frame();
    await expect.poll(frame, slowly).toBeGreaterThan(from + 2);
    expect(await boxes()).toBe(1);
  });

  it("sends no picture to anyone: while frames run, no request leaves the page", async () => {
    expect(models().map((request) => request.method())).toEqual(["GET", "GET"]);
    const before = requests.length;
    const from = await frame();
    await expect.poll(frame, slowly).toBeGreaterThan(from + 10);
    const after = requests.slice(before).map((request) => `${request.method()} ${request.url()}`);
    expect(after).toEqual([]);
    const sent = requests.filter((request) => (request.postDataBuffer()?.length ?? 0) > 20_000);
    expect(sent.map((request) => request.url())).toEqual([]);
  });

  it("releases the camera when stopped", async () => {
    const live = () =>
      page.evaluate(() => {
        const source = document.querySelector("video")?.srcObject;
        return source instanceof MediaStream && source.getTracks().some((track) => track.readyState === "live");
      });
    expect(await live()).toBe(true);
    await id("stop-camera").click();
    await id("start-camera").waitFor();
    expect(await live()).toBe(false);
    expect(await boxes()).toBe(0);
  });

  it("says in one sentence what to do where the camera is refused", async () => {
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    });
    await id("start-camera").click();
    await expect.poll(() => id("live-fault").textContent(), slowly).toMatch(/not allowed to use the camera\. Allow/);
  });

  it("met no script error on the way", () => expect(errors).toEqual([]));
});
