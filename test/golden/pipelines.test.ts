/** Every pipeline that ships loads, migrates, checks clean and saves to the same text. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { checkPipeline } from "../../pipelines/document/check.ts";
import { serializeDoc } from "../../pipelines/document/doc.ts";
import { migrateDoc } from "../../pipelines/document/migrations.ts";
import { projectRoot } from "../support/imports.ts";

const read = (folder: string) =>
  readdirSync(join(projectRoot, folder))
    .filter((file) => file.endsWith(".json"))
    .map((file) => ({ file, text: readFileSync(join(projectRoot, folder, file), "utf8") }));

describe.each(read("pipelines"))("pipelines/$file", ({ file, text }) => {
  it("is current, canonical, named after its file, and ready to run once its files are chosen", () => {
    const migrated = migrateDoc(nodeDefs, JSON.parse(text));
    if (!("doc" in migrated)) throw new Error(JSON.stringify(migrated.diagnostics));
    expect(migrated.applied).toEqual([]);
    expect(`${migrated.doc.name}.json`).toBe(file);
    expect(
      checkPipeline(nodeDefs, migrated.doc).filter((d) => d.severity === "error" && d.code !== "missing-source"),
    ).toEqual([]);
    expect(serializeDoc(migrated.doc)).toBe(text);
  });
});
