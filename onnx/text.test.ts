import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeText, encodeText } from "./text.ts";

it("turns any bytes into text and back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect([...encodeText(decodeText(bytes))]).toEqual([...bytes]);
    }),
  );
});

it("keeps UTF-8 as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(decodeText(new TextEncoder().encode(text))).toBe(text);
    }),
  );
});
