import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineNode } from "../../nodes/define.ts";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { fieldErrors, fieldsOf, summaryOf } from "./formModel.ts";

const def = defineNode({
  type: "sample",
  version: 1,
  title: "Sample",
  category: "Optimise",
  icon: "box",
  doc: "",
  params: z.strictObject({
    source: z.string().default("").meta({ title: "Source", source: "images" }),
    format: z.enum(["int8", "int4"]).default("int8").meta({ title: "Format" }),
    clip: z.number().min(50).max(100).default(99.9).meta({ title: "Clip at", unit: "%" }),
    block: z.literal([16, 32, 64]).default(32),
    bits: z.union([z.literal(4), z.literal(8)]).default(8),
    perChannel: z.boolean().default(true),
    keep: z.array(z.string()).default([]),
    mean: z.array(z.number()).default([0, 0, 0]),
    shapes: z.record(z.string(), z.array(z.int())).default({}),
  }),
  inputs: {},
  outputs: {},
  effects: "pure",
  resources: ["cpu"],
  migrations: {},
});
const kindOf = (name: string) => fieldsOf(def).find((field) => field.name === name)?.field;

describe("fieldsOf", () => {
  it("chooses the field from the schema", () => {
    expect(kindOf("source")).toEqual({ kind: "source", source: "images" });
    expect(kindOf("format")).toEqual({ kind: "choice", options: ["int8", "int4"] });
    expect(kindOf("clip")).toEqual({ kind: "number", integer: false, min: 50, max: 100 });
    expect(kindOf("block")).toEqual({ kind: "choice", options: [16, 32, 64] });
    expect(kindOf("bits")).toEqual({ kind: "choice", options: [4, 8] });
    expect(kindOf("perChannel")).toEqual({ kind: "switch" });
    expect(kindOf("keep")).toEqual({ kind: "list", item: "text" });
    expect(kindOf("mean")).toEqual({ kind: "list", item: "number" });
    expect(kindOf("shapes")).toEqual({ kind: "json" });
  });

  it("takes titles, units and defaults along, and makes a title of a name", () => {
    expect(fieldsOf(def).find((f) => f.name === "clip")).toMatchObject({ title: "Clip at", unit: "%", fallback: 99.9 });
    expect(fieldsOf(def).find((f) => f.name === "perChannel")?.title).toBe("Per channel");
  });

  it.each(Object.values(nodeDefs).map((d) => [d.type, d] as const))("makes a form of %s", (_, node) => {
    expect(fieldsOf(node).map((f) => f.name)).toEqual(Object.keys(node.params.shape));
  });
});

describe("fieldErrors", () => {
  it("names the parameter and says why", () => {
    expect(fieldErrors(def, { clip: 101 })).toEqual({ clip: expect.stringContaining("100") });
    expect(fieldErrors(def, { clip: 99 })).toEqual({});
  });
});

describe("summaryOf", () => {
  it("tells what differs from the defaults, else the choices", () => {
    expect(summaryOf(def, {})).toBe("int8 · 32");
    expect(summaryOf(def, { source: "sha256:abc#street.zip", perChannel: false, clip: 99 })).toBe(
      "street.zip · clip at 99 % · no per channel",
    );
    expect(summaryOf(def, { format: "int8" })).toBe("int8 · 32");
  });
});
