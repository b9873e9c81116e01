/** What every node type must keep, unseen: a new folder under nodes/ is held to this without touching the test. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { PORT_KINDS } from "../../nodes/ports.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { nodeImpls } from "../../nodes/registry.server.gen.ts";
import { checkPipeline } from "../../pipelines/document/check.ts";
import { serializeDoc } from "../../pipelines/document/doc.ts";
import { migrateDoc } from "../../pipelines/document/migrations.ts";
import { projectRoot } from "../support/imports.ts";

const folder = (type: string, ...rest: string[]) => join(projectRoot, "nodes", type, ...rest);

describe.each(Object.values(nodeDefs))("$type", (def) => {
  it("is named after its folder and implemented", async () => {
    expect(def.type).toMatch(/^[a-z0-9-]+$/);
    expect(existsSync(folder(def.type))).toBe(true);
    expect((await nodeImpls[def.type]?.())?.def).toBe(def);
  });

  it("has defaults for every param, and they are JSON", () => {
    const defaults = def.params.parse({});
    expect(JSON.parse(JSON.stringify(defaults))).toEqual(defaults);
    expect(def.params.parse(defaults)).toEqual(defaults);
    expect(def.params.safeParse({ "no-such-param": 1 }).success).toBe(false);
  });

  it("describes every param and port to a person", () => {
    const schema = z.toJSONSchema(def.params, { io: "input" });
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      expect(typeof field === "object" && field.title, `title of ${name}`).toBeTruthy();
    }
    for (const port of Object.values(def.inputs)) {
      expect(port.doc).not.toBe("");
      for (const kind of port.kinds) expect(PORT_KINDS).toContain(kind);
    }
    for (const port of Object.values(def.outputs)) expect(port.doc).not.toBe("");
    expect(def.doc.length).toBeGreaterThan(20);
  });

  it("takes each older version along by a named migration", () => {
    const steps = Object.keys(def.migrations).map(Number);
    expect(steps).toEqual(Array.from({ length: def.version - 1 }, (_, i) => i + 1));
    const names = Object.values(def.migrations).map((step) => step.name);
    expect(new Set(names).size).toBe(names.length);
    // Each migration is tested by its name, beside the node.
    const tests = readdirSync(folder(def.type)).filter((file) => file.endsWith(".test.ts"));
    const text = tests.map((file) => readFileSync(folder(def.type, file), "utf8")).join("");
    for (const name of names) expect(text).toContain(name);
  });

  it("has a test and an example that checks clean but for the files to choose and is saved canonically", () => {
    expect(readdirSync(folder(def.type)).some((file) => /\.test\.tsx?$/.test(file))).toBe(true);
    const text = readFileSync(folder(def.type, "example.pipeline.json"), "utf8");
    const migrated = migrateDoc(nodeDefs, JSON.parse(text));
    expect("diagnostics" in migrated ? migrated.diagnostics : []).toEqual([]);
    if (!("doc" in migrated)) return;
    expect(Object.values(migrated.doc.nodes).some((node) => node.type === def.type)).toBe(true);
    expect(
      checkPipeline(nodeDefs, migrated.doc).filter((d) => d.severity === "error" && d.code !== "missing-source"),
    ).toEqual([]);
    expect(serializeDoc(migrated.doc)).toBe(text);
  });
});

it("every schema and face loads in a browser", async () => {
  const entryPoints = ["registry.gen.ts", "faces.gen.ts"].map((file) => join(projectRoot, "nodes", file));
  const result = await build({
    entryPoints,
    bundle: true,
    write: false,
    outdir: "/out",
    platform: "browser",
    format: "esm",
  });
  expect(result.errors).toEqual([]);
});
