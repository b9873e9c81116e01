import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ByteSource, memorySource } from "./ir/tensor.ts";
import type { Schema } from "./message.ts";
import { Message } from "./message.ts";
import { AttributeProto, GraphProto, ModelProto, TensorProto, TypeProto } from "./proto.ts";
import { decode } from "./wire.ts";
import { encode } from "./wireEncode.ts";

/** The wire by hand: what other writers may put there. */
function varint(value: bigint | number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
const tag = (number: number, type: number) => varint((number << 3) | type);
const int = (number: number, value: bigint | number) => [...tag(number, 0), ...varint(value)];
const bytes = (number: number, content: readonly number[]) => [
  ...tag(number, 2),
  ...varint(content.length),
  ...content,
];
const text = (number: number, content: string) => bytes(number, [...new TextEncoder().encode(content)]);

const read = (schema: Schema, content: readonly number[]) => decode(schema, memorySource(Uint8Array.from(content)));

async function write(message: Message): Promise<number[]> {
  const out: number[] = [];
  for await (const chunk of encode(message)) out.push(...chunk);
  return out;
}

describe("decode", () => {
  it("keeps unknown fields of every wire type, groups among them", async () => {
    const content = [
      ...int(1, 8),
      ...int(999, 2n ** 64n - 1n),
      ...tag(1000, 1),
      ...[1, 2, 3, 4, 5, 6, 7, 8],
      ...bytes(1001, [1, 2]),
      ...tag(1002, 3),
      ...int(1, 5),
      ...tag(2, 3),
      ...tag(2, 4),
      ...bytes(3, [9, 9]),
      ...tag(1002, 4),
      ...tag(1003, 5),
      ...[1, 2, 3, 4],
    ];
    const message = await read(ModelProto, content);
    expect(message.int("ir_version")).toBe(8);
    expect(await write(message)).toEqual(content);
  });

  it("keeps a known field of another wire type as an unknown one", async () => {
    const content = [...text(1, "eight"), ...int(7, 3)];
    const message = await read(ModelProto, content);
    expect(message.int("ir_version")).toBeUndefined();
    expect(message.message("graph")).toBeUndefined();
    expect(await write(message)).toEqual(content);
  });

  it("lets the last scalar win, merges a message that comes twice, and drops the loser of a oneof", async () => {
    const model = await read(ModelProto, [
      ...int(1, 3),
      ...bytes(7, text(2, "first")),
      ...int(1, 8),
      ...bytes(7, [...text(2, "second"), ...bytes(12, text(1, "y"))]),
    ]);
    expect(model.int("ir_version")).toBe(8);
    expect(model.messages("graph").length).toBe(1);
    expect(model.message("graph")?.text("name")).toBe("second");
    expect(model.message("graph")?.messages("output").length).toBe(1);

    const type = await read(TypeProto, [...bytes(1, int(1, 1)), ...bytes(4, []), ...bytes(5, int(1, 8))]);
    expect(type.has("tensor_type")).toBe(false);
    expect(type.has("sequence_type")).toBe(false);
    expect(type.message("map_type")?.int("key_type")).toBe(8);
  });

  it("joins packed and single elements, also those written at length", async () => {
    const attribute = await read(AttributeProto, [
      ...bytes(8, [1, 0x82, 0x80, 0x00]),
      ...int(8, 3),
      ...int(8, 2n ** 64n - 1n),
      ...bytes(7, [0, 0, 0x80, 0x3f]),
      ...tag(7, 5),
      ...[0, 0, 0, 0x40],
    ]);
    expect(attribute.ints("ints")).toEqual([1, 2, 3, -1]);
    expect(attribute.floats("floats")).toEqual([1, 2]);
  });

  it("keeps 64 bits exact, and the bits of every NaN", async () => {
    const content = [...int(3, 2n ** 63n - 2n), ...tag(2, 5), ...[1, 0, 0xa0, 0x7f]];
    const attribute = await read(AttributeProto, content);
    expect(attribute.last("i")).toBe(2n ** 63n - 2n);
    expect(attribute.float("f")).toBeNaN();
    expect(await write(attribute)).toEqual(content);
  });

  it("keeps text that is no UTF-8", async () => {
    const content = bytes(2, [0x61, 0xff, 0xe4, 0xb8, 0xad, 0xed, 0xa0, 0x80, 0xf0]);
    expect(await write(await read(GraphProto, content))).toEqual(content);
  });

  it("refers to what is long and never reads it", async () => {
    const length = 300_000;
    const head = [...int(1, length), ...text(8, "w"), ...tag(9, 2), ...varint(length)];
    const tail = int(2, 3);
    const reads: [number, number][] = [];
    const source: ByteSource = {
      size: head.length + length + tail.length,
      read: async (offset, size) => {
        reads.push([offset, size]);
        const out = new Uint8Array(size);
        for (let i = 0; i < size; i++) {
          const at = offset + i;
          out[i] =
            at < head.length ? (head[at] ?? 0) : at < head.length + length ? 7 : (tail[at - head.length - length] ?? 0);
        }
        return out;
      },
    };
    const tensor = await decode(TensorProto, source);
    expect(tensor.piece("raw_data")).toEqual({ source, offset: head.length, length });
    expect(tensor.int("data_type")).toBe(3);
    expect(reads.reduce((sum, [, size]) => sum + size, 0)).toBeLessThan(10_000);
  });

  const deep = (levels: number) => {
    let content: number[] = [];
    for (let i = 0; i < levels; i++) content = bytes(4, bytes(1, content));
    return content;
  };
  it.each([
    ["bad-tag", [0, 0]],
    ["bad-tag", [0x0f, 0]],
    ["bad-tag", [...tag(5, 4)]],
    ["bad-tag", [...tag(900, 3), ...tag(901, 4)]],
    ["truncated", [8]],
    ["truncated", [8, 0x80]],
    ["truncated", [0x3a, 5, 1]],
    ["truncated", [0x3a, ...varint(2n ** 63n)]],
    ["truncated", [...tag(1000, 1), 1, 2]],
    ["truncated", [...tag(900, 3), 8, 1]],
    ["bad-list", bytes(7, bytes(5, bytes(7, [1, 0x80])))],
    ["bad-list", bytes(7, bytes(5, bytes(7, [...Array(9).fill(0xff), 2])))],
    ["bad-list", bytes(7, bytes(5, bytes(4, [1, 2, 3])))],
    ["bad-varint", [8, ...Array(10).fill(0xff)]],
    ["bad-varint", [8, ...Array(9).fill(0xff), 2]],
  ])("refuses %s: %j", async (code, content) => {
    await expect(read(ModelProto, content)).rejects.toMatchObject({ name: "ModelFormatError", code });
  });

  it("refuses nesting beyond 100, in messages and in unknown groups", async () => {
    await expect(read(TypeProto, deep(49))).resolves.toBeInstanceOf(Message);
    await expect(read(TypeProto, deep(51))).rejects.toMatchObject({ code: "nested-too-deep" });
    await expect(read(ModelProto, Array(500).fill(0xfb))).rejects.toMatchObject({ name: "ModelFormatError" });
  });

  it("refuses a small file of a million fields", async () => {
    const nodes = new Array(4_500_000);
    for (let i = 0; i < nodes.length; i += 2) [nodes[i], nodes[i + 1]] = [0x0a, 0];
    await expect(read(GraphProto, nodes)).rejects.toMatchObject({ code: "too-many-fields" });
    const merged = [...Array(30_000)].flatMap(() => [0xf8, 0x7f, 0]);
    for (let i = 0; i < 30_000; i++) merged.push(0x3a, 0);
    await expect(read(ModelProto, merged)).rejects.toMatchObject({ code: "too-many-fields" });
  });
});

describe("encode", () => {
  it("gives back what was read, whatever the sizes around the chunk's ends", async () => {
    const piece = fc.integer({ min: 0, max: 3000 }).map((length) => bytes(9, Array(length).fill(length & 127)));
    const single = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => int(3, value));
    const float = fc.constant([...tag(2, 5), 1, 2, 3, 4]);
    const name = fc.string({ unit: "grapheme", maxLength: 300 }).map((content) => text(1, content));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(piece, single, float, name), { maxLength: 200, size: "max" }),
        async (fields) => {
          const content = fields.flat();
          expect(await write(await read(AttributeProto, content))).toEqual(content);
        },
      ),
      { numRuns: 60 },
    );
  });
});
