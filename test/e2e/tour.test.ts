/** The first-run tour: four steps over a canvas that stays usable, for keyboard and ear too, and once only. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { projectRoot } from "../support/imports.ts";
import { putPipeline, type TestServer, testServer } from "../support/server.ts";
import { writeTinyDetector } from "../support/tinyDetector.ts";

const slowly = { timeout: 30_000 };
let server: TestServer;
let browser: Browser;
let page: Page;
const id = (testId: string) => page.getByTestId(testId);
const heading = () => id("tour").getByRole("heading").textContent();

const save = (name: string, doc: object) => putPipeline(server, name, { ...doc, name });
async function firstVisit(name: string) {
  await page?.context().close();
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${server.url}/pipelines/${name}`);
  await id("canvas").waitFor();
}

beforeAll(async () => {
  server = await testServer();
  await writeTinyDetector(server.root);
  const doc = JSON.parse(await readFile(join(projectRoot, "pipelines/person-detection.json"), "utf8"));
  doc.nodes.model.params = { source: "tiny.onnx" };
  await save("shown", doc);
  await save("bare", { ...doc, nodes: {}, edges: [] });
  browser = await launchBrowser();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

describe("the tour", () => {
  it("goes through four steps, pointing at what it speaks of, and is over for good", async () => {
    await firstVisit("shown");
    const seen: unknown[] = [];
    for (let step = 0; step < 4; step++) {
      seen.push([await heading(), await page.evaluate(() => document.documentElement.dataset.tour)]);
      await id("tour-next").click();
    }
    expect(seen).toEqual([
      ["This is a pipeline", "canvas"],
      ["Press Run", "run"],
      ["Read the strip", "strip"],
      ["Make it yours", "sources"],
    ]);
    expect(await id("tour").count()).toBe(0);
    await page.reload();
    await id("node-model").waitFor();
    expect(await id("tour").count()).toBe(0);
    expect(await page.evaluate(() => document.documentElement.dataset.tour)).toBeUndefined();
  });

  it("is skipped by Escape, and shown again on request", async () => {
    await firstVisit("shown");
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("role")), slowly).toBe("dialog");
    await page.keyboard.press("Escape");
    expect(await id("tour").count()).toBe(0);
    await page.keyboard.press("ControlOrMeta+k");
    await page.keyboard.type("show the tour");
    await page.keyboard.press("Enter");
    await id("tour").waitFor();
    await id("tour-skip").click();
    expect(await id("tour").count()).toBe(0);
  });

  it("covers no node of the main pipeline, and goes on by itself when Run is pressed", async () => {
    await firstVisit("shown");
    await id("node-model").waitFor();
    const card = await id("tour").boundingBox();
    for (const node of await page.locator(".react-flow__node").all()) {
      const box = await node.boundingBox();
      if (!card || !box) throw new Error("not on the screen");
      const apart = box.x > card.x + card.width || box.y + box.height < card.y;
      expect(apart, `${await node.getAttribute("data-id")} is covered`).toBe(true);
    }
    await id("tour-next").click();
    await id("run").click();
    await expect.poll(heading, slowly).toBe("Read the strip");
  });

  it("passes an accessibility check", async () => {
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
    const found = await page.evaluate<string[]>(
      "axe.run('[data-testid=tour]').then((r) => r.violations.map((v) => v.id + ': ' + v.help))",
    );
    expect(found).toEqual([]);
  });

  it("does not come between a newcomer and an empty canvas", async () => {
    await firstVisit("bare");
    await id("start").waitFor();
    expect(await id("tour").count()).toBe(0);
  });
});
