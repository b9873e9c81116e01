/** The canvas as a user has it: a real server, a real browser, a detector that truly finds what is in the pictures. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { putPipeline, type TestServer, testServer } from "../support/server.ts";
import { writeTinyDetector } from "../support/tinyDetector.ts";

let server: TestServer;
let browser: Browser;
let page: Page;
const errors: string[] = [];

beforeAll(async () => {
  server = await testServer();
  await writeTinyDetector(server.root);
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  page.on("pageerror", (error) => errors.push(error.message));
  page.setDefaultTimeout(30_000);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

const id = (testId: string) => page.getByTestId(testId);
const centre = async (testId: string) => {
  const box = await id(testId).boundingBox();
  if (!box) throw new Error(`${testId} is not on the screen`);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
};
async function drop(type: string, x: number, y: number) {
  await id(`palette-item-${type}`).dragTo(id("canvas"), { targetPosition: { x, y } });
}
async function drag(from: string, to: string, drop = true) {
  const a = await centre(from);
  const b = await centre(to);
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2, { steps: 4 });
  await page.mouse.move(b.x, b.y, { steps: 4 });
  if (drop) await page.mouse.up();
}
async function setParam(node: string, name: string, value: string) {
  await id(`node-${node}`).click({ position: { x: 60, y: 12 } });
  const field = id(`param-${name}`);
  await field.fill(value);
  await field.blur();
}
// A busy machine may take its time; what must be quick is said by a test of its own.
const slowly = { timeout: 30_000 };
const savedDoc = async () => JSON.parse(await readFile(join(server.root, "pipelines/e2e.json"), "utf8"));
const saved = () => expect.poll(() => id("save-state").textContent(), slowly).toMatch(/saved/i);

describe("the canvas", () => {
  it("starts with an empty pipeline and takes nodes from the palette", async () => {
    const body = { format: "edgewright.pipeline", version: 1, name: "e2e", target: "local-cpu", nodes: {}, edges: [] };
    await putPipeline(server, "e2e", body);
    await page.goto(`${server.url}/pipelines/e2e`);
    await id("canvas").waitFor();
    await drop("load-model", 60, 60);
    await drop("load-images", 60, 420);
    await drop("preprocess", 380, 420);
    await drop("infer", 700, 60);
    await drop("nms", 1000, 60);
    await expect.poll(() => page.locator(".react-flow__node").count(), slowly).toBe(5);
  });

  it("refuses a wrong wire while it is drawn, with the reason", async () => {
    await drag("port-out-load-images-images", "port-in-infer-model", false);
    await expect.poll(() => id("refusal").textContent(), slowly).toMatch(/Infer wants .*; Load images gives images/);
    await page.mouse.up();
    await page.keyboard.press("Escape");
    await saved();
    expect((await savedDoc()).edges).toEqual([]);
  });

  it("wires what fits, and undo takes the last wire back", async () => {
    await drag("port-out-load-images-images", "port-in-preprocess-source");
    await drag("port-out-load-model-model", "port-in-infer-model");
    await drag("port-out-preprocess-tensors", "port-in-infer-tensors");
    await drag("port-out-infer-tensors", "port-in-nms-tensors");
    await saved();
    await expect.poll(async () => (await savedDoc()).edges.length, slowly).toBe(4);
    await page.keyboard.press("ControlOrMeta+z");
    await expect.poll(async () => (await savedDoc()).edges.length, slowly).toBe(3);
    await page.keyboard.press("ControlOrMeta+Shift+z");
    await expect.poll(async () => (await savedDoc()).edges.length, slowly).toBe(4);
  });

  it("says on the node what a run lacks", async () => {
    await id("run").click();
    await expect.poll(() => id("node-load-model").textContent(), slowly).toMatch(/file|model/i);
    await expect.poll(() => id("run").isEnabled(), slowly).toBe(true);
  });

  it("sets parameters in forms, saves them, and has them after a reload", async () => {
    await setParam("load-model", "source", "tiny.onnx");
    await setParam("load-images", "source", "images");
    await setParam("load-images", "labels", "labels");
    await setParam("preprocess", "width", "64");
    await setParam("preprocess", "height", "64");
    await saved();
    await expect
      .poll(async () => (await savedDoc()).nodes.preprocess.params, slowly)
      .toMatchObject({ width: 64, height: 64 });
    await page.reload();
    await id("node-nms").waitFor();
    await id("node-load-model").click({ position: { x: 60, y: 12 } });
    await expect.poll(() => id("param-source").inputValue(), slowly).toBe("tiny.onnx");
  });

  it("runs, shows boxes, and a second run comes from the cache", async () => {
    await id("run").click();
    await expect.poll(() => id("node-nms").getAttribute("data-state"), slowly).toBe("done");
    await expect.poll(() => id("node-nms").locator("svg rect, [data-box]").count(), slowly).toBeGreaterThan(0);
    await id("run").click();
    await expect.poll(() => id("node-nms").getAttribute("data-state"), slowly).toBe("hit");
  });

  it("shows the whole run: its steps, its log, its reports", async () => {
    await page.goto(`${server.url}/runs`);
    await page.locator('a[href^="/runs/"]').first().click();
    await page.getByRole("heading", { name: /run of e2e/i }).waitFor();
    await expect.poll(() => page.textContent("body"), slowly).toMatch(/5 hits: .*nms/);
  });

  it("cancels a run within a second or two", async () => {
    const profile = {
      type: "profile",
      version: 1,
      params: { iterations: 100_000, maxSeconds: 600 },
      position: { x: 0, y: 0 },
    };
    // Three minutes of it: the tiny detector is done with them before a busy machine sees it running.
    const params = { source: "builtin:person-nano" };
    const model = { type: "load-model", version: 1, params, position: { x: 0, y: 300 } };
    const doc = {
      ...(await savedDoc()),
      name: "long",
      nodes: { profile, model },
      edges: [{ from: "model.model", to: "profile.model" }],
    };
    await putPipeline(server, "long", doc);
    await page.goto(`${server.url}/pipelines/long`);
    await id("node-profile").waitFor();
    await id("run").click();
    await expect.poll(() => id("node-profile").getAttribute("data-state"), slowly).toBe("running");
    await id("cancel").click();
    await expect.poll(() => id("run-status").textContent(), slowly).toMatch(/cancel/i);
    const runs = await (await fetch(`${server.url}/api/openapi/runs?pipeline=long`)).json();
    expect(runs[0].status).toBe("cancelled");
  });

  it("met no script error on the way", () => expect(errors).toEqual([]));
});
