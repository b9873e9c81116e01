/** Whatever the bytes, reading ends in a model or in a `ModelFormatError`; what was read is written, and read again. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataPath, testData } from "../test/support/data.ts";
import { cloneModel } from "./cloneModel.ts";
import { memorySource } from "./ir/tensor.ts";
import { ModelFormatError } from "./modelFormatError.ts";
import { modelBytes, readModel } from "./serde.ts";
import { verifyModel } from "./verify.ts";

async function ends(bytes: Uint8Array): Promise<"model" | "refused"> {
  let model: Awaited<ReturnType<typeof readModel>>;
  try {
    model = await readModel(memorySource(bytes));
  } catch (error) {
    if (!(error instanceof ModelFormatError)) throw error;
    expect(error.fix).not.toBe("");
    return "refused";
  }
  const written = await modelBytes(model);
  const again = await readModel(memorySource(written));
  expect(Buffer.from(await modelBytes(again)).equals(Buffer.from(written))).toBe(true);
  expect(Buffer.from(await modelBytes(cloneModel(model))).equals(Buffer.from(written))).toBe(true);
  expect(verifyModel(model).filter(({ code }) => code !== "order")).toEqual([]);
  return "model";
}

type Edit =
  | { readonly kind: "flip" | "cut" | "drop" | "insert"; readonly at: number; readonly byte: number }
  | { readonly kind: "copy"; readonly at: number; readonly from: number; readonly length: number };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("flip", "cut", "drop", "insert"),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("copy"),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.integer({ min: 1, max: 200 }),
    }),
  },
);

function mutate(original: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let bytes = Array.from(original);
  for (const change of edits) {
    const at = Math.floor(change.at * Math.max(0, bytes.length - 1));
    if (change.kind === "copy") {
      const from = Math.floor(change.from * bytes.length);
      bytes.splice(at, 0, ...bytes.slice(from, from + change.length));
    } else if (change.kind === "cut") bytes = bytes.slice(0, at);
    else if (change.kind === "drop") bytes.splice(at, 1);
    else if (change.kind === "insert") bytes.splice(at, 0, change.byte);
    else bytes[at] = change.byte;
  }
  return Uint8Array.from(bytes);
}

const everyField = new Uint8Array(readFileSync(new URL("./serde/golden/everyField.onnx", import.meta.url)));

describe("reading", () => {
  it("random bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => void (await ends(bytes))),
      { numRuns: 3000 },
    );
  });

  it("a file with every field, damaged", async () => {
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        outcomes.add(await ends(mutate(everyField, edits)));
      }),
      { numRuns: 1500 },
    );
    expect([...outcomes].sort()).toEqual(["model", "refused"]);
  });

  it("a file with every field, cut short anywhere", async () => {
    for (let length = 0; length < everyField.length; length += 7) await ends(everyField.slice(0, length));
  });
});

describe.skipIf(!testData)("reading a real model, damaged (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("in its structure", async () => {
    const bytes = new Uint8Array(readFileSync(dataPath("models", "rfb-320.onnx")));
    const near = fc.integer({ min: 0, max: 30_000 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(near, fc.integer({ min: 0, max: 255 })), { minLength: 1 }), async (flips) => {
        const damaged = bytes.slice();
        for (const [at, byte] of flips) damaged[at] = byte;
        await ends(damaged);
      }),
      { numRuns: 60 },
    );
  });
});
