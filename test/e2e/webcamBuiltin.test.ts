/** The built-in detector on a camera that shows a scene: the shipped pipeline, run once, then live in the page. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderScene } from "../../nodes/load-scene/scene/render.ts";
import { createScene } from "../../nodes/load-scene/scene/scene.ts";
import { launchBrowser } from "../support/browser.ts";
import { stillCamera } from "../support/fakeCamera.ts";
import { projectRoot } from "../support/imports.ts";
import { putPipeline, type TestServer, testServer } from "../support/server.ts";

const WIDTH = 640;
const HEIGHT = 480;
/** A corridor, in which one person stands free. */
const scene = renderScene(createScene({ seed: 2, width: WIDTH, height: HEIGHT }));

let server: TestServer;
let browser: Browser;
let page: Page;
let film: string;
const id = (testId: string) => page.getByTestId(testId);

beforeAll(async () => {
  server = await testServer();
  const doc = JSON.parse(await readFile(join(projectRoot, "pipelines/person-detection.json"), "utf8"));
  doc.nodes.images.params.limit = 2;
  doc.nodes["calibration-images"].params.limit = 8;
  await putPipeline(server, "person-detection", doc);
  film = await mkdtemp(join(tmpdir(), "edgewright-film-"));
  browser = await launchBrowser(await stillCamera(join(film, "camera.y4m"), scene));
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(60_000);
  await page.addInitScript(() => localStorage.setItem("edgewright.pipeline", "person-detection"));
  await page.goto(`${server.url}/webcam`);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  if (film) await rm(film, { recursive: true });
});

describe("the built-in detector, live", () => {
  it("takes size, decoder and class from the model's settings, INT8 as quantized", { timeout: 200_000 }, async () => {
    await id("run").click();
    await expect.poll(() => id("start-camera").isEnabled(), { timeout: 180_000 }).toBe(true);
    const settings = (await page.textContent(".live-settings")) ?? "";
    expect(settings).toMatch(/quantize\.model/);
    expect(settings).toMatch(/\d+ × \d+, letterbox-center/);
    expect(settings).not.toContain("640 × 640");
    expect(settings).toContain("yolox");
  });

  it("draws a box around the person", async () => {
    const [person, ...others] = scene.people.filter(({ ignored }) => !ignored);
    if (!person || others.length > 0) throw new Error("the scene shows another number of people");
    await id("start-camera").click();
    await id("live-box").first().waitFor();
    const stage = await page.locator('[data-testid="live"] figure').boundingBox();
    if (!stage) throw new Error("no stage");
    const scale = WIDTH / stage.width;
    const found = await Promise.all((await id("live-box").all()).map((box) => box.boundingBox()));
    const overlaps = found.map((box) =>
      box
        ? iou([(box.x - stage.x) * scale, (box.y - stage.y) * scale, box.width * scale, box.height * scale], person.box)
        : 0,
    );
    expect(Math.max(...overlaps)).toBeGreaterThan(0.5);
    expect(await id("live").textContent()).toContain("person");
  });
});

type Box = readonly [number, number, number, number];

function iou([ax, ay, aw, ah]: Box, [bx, by, bw, bh]: Box): number {
  const w = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const h = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  const shared = Math.max(0, w) * Math.max(0, h);
  return shared / (aw * ah + bw * bh - shared);
}
