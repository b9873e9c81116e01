/** Node types for tests of the executor: numbers instead of models, and every way a step can go wrong. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { UserError } from "../../nodes/context.ts";
import { defineNode, implementNode, type NodeImpl } from "../../nodes/define.ts";
import type { Stream, TensorItem } from "../../nodes/ports.ts";
import { DataType } from "../../onnx/ir/dataType.ts";

const base = { version: 1, category: "Source", doc: "For tests.", icon: "box", migrations: {} } as const;
const bytes = (text: string) => new TextEncoder().encode(text);

/** Writes its text. */
const text = defineNode({
  ...base,
  type: "text",
  title: "Text",
  params: z.strictObject({
    text: z.string().default("a"),
    delayMs: z.number().default(0),
    source: z.string().default("").meta({ source: "file", optional: true }),
  }),
  inputs: { after: { kinds: ["model"], many: true, optional: true, doc: "Waits for these." } },
  outputs: { model: { kind: "model", doc: "The text." } },
  effects: "pure",
  resources: ["cpu"],
});

/** Misbehaves as told. */
const rogue = defineNode({
  ...base,
  type: "rogue",
  title: "Rogue",
  params: z.strictObject({
    does: z.enum(["loop", "abort", "hoard", "refuse", "bug", "disk-full", "nothing"]).default("loop"),
  }),
  inputs: { model: { kinds: ["model"], optional: true, doc: "Anything." } },
  outputs: { model: { kind: "model", doc: "Nothing." } },
  effects: "pure",
  resources: ["cpu"],
});

/** Like a calibration: dies half-way, and goes on from there. */
const resumes = defineNode({
  ...base,
  type: "resumes",
  title: "Resumes",
  params: z.strictObject({ text: z.string().default("a") }),
  inputs: {},
  outputs: { model: { kind: "model", doc: "What it found, and its text." } },
  effects: "pure",
  resources: ["cpu"],
});

/** Like a preprocess: a replayable stream, and its settings. */
const count = defineNode({
  ...base,
  type: "count",
  title: "Count",
  params: z.strictObject({
    to: z.number().default(20),
    failAt: z.number().default(-1),
    delayMs: z.number().default(0),
    known: z.boolean().default(true),
  }),
  inputs: {},
  outputs: { tensors: { kind: "tensors", doc: "1, 2, 3..." }, settings: { kind: "settings", doc: "How far." } },
  effects: "pure",
  resources: ["cpu"],
});

/** Like infer: a kept stream. */
const scale = defineNode({
  ...base,
  type: "scale",
  title: "Scale",
  params: z.strictObject({
    by: z.number().default(2),
    /** An item that cannot be written, though it can be read. */
    unkeepableAt: z.number().default(-1),
  }),
  inputs: {
    tensors: { kinds: ["tensors"], doc: "Numbers." },
    model: { kinds: ["model"], optional: true, doc: "Anything." },
  },
  outputs: { tensors: { kind: "tensors", doc: "Scaled." } },
  effects: "infers",
  resources: ["cpu"],
});

/** Like nms: detections, kept always. */
const detect = defineNode({
  ...base,
  type: "detect",
  title: "Detect",
  params: z.strictObject({ above: z.number().default(0) }),
  inputs: { tensors: { kinds: ["tensors"], doc: "Numbers." } },
  outputs: { detections: { kind: "detections", doc: "One a number." } },
  effects: "pure",
  resources: ["cpu"],
});

/** Like agreement: a sink that reads two streams in step, slowly if told. */
const sum = defineNode({
  ...base,
  type: "sum",
  title: "Sum",
  params: z.strictObject({ delayMs: z.number().default(0), fail: z.boolean().default(false) }),
  inputs: {
    a: { kinds: ["tensors"], doc: "Numbers." },
    b: { kinds: ["tensors"], optional: true, doc: "Numbers." },
  },
  outputs: { report: { kind: "report", doc: "The sum." }, model: { kind: "model", doc: "The sum as text." } },
  effects: "pure",
  resources: ["cpu"],
});

/** Like profile. */
const time = defineNode({
  ...base,
  type: "time",
  title: "Time",
  params: z.strictObject({ ms: z.number().default(50) }),
  inputs: { model: { kinds: ["model"], doc: "Anything." } },
  outputs: { report: { kind: "report", doc: "When it ran." } },
  effects: "measures",
  resources: ["device"],
});

/** Like export: writes a file. */
const write = defineNode({
  ...base,
  type: "write",
  title: "Write",
  params: z.strictObject({ name: z.string().default("a") }),
  inputs: { model: { kinds: ["model"], doc: "What to write." } },
  outputs: {},
  effects: "exports",
  resources: ["io"],
});

const number = (item: TensorItem) => Number(Object.values(item.tensors)[0]?.data[0]);
function item(index: number, value: number): TensorItem {
  return {
    frame: { id: `frame-${index}`, index, width: 1, height: 1 },
    tensors: { x: { dataType: DataType.FLOAT, dims: [1], data: Float32Array.of(value) } },
  };
}
function unwritable(frame: TensorItem["frame"]): TensorItem["frame"] {
  const refuse = () => {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  };
  return { ...frame, index: Object.assign(frame.index, { toJSON: refuse }) };
}
function withTotal<T>(stream: AsyncIterable<T>, total: number | undefined): Stream<T> {
  return total === undefined ? stream : Object.assign(stream, { total });
}

export const stubImpls: Readonly<Record<string, NodeImpl>> = {
  text: implementNode(text, async (ctx, inputs, params) => {
    ctx.progress(0, 1);
    if (params.delayMs > 0) await setTimeout(params.delayMs);
    const after = await Promise.all(inputs.after.map((ref) => ctx.artifacts.readText(ref)));
    const sources = ctx.sources.source?.map((file) => `${file.name}=${file.digest.slice(0, 8)}`) ?? [];
    return { model: await ctx.artifacts.put("model", bytes([...after, params.text, ...sources].join("+"))) };
  }),
  rogue: implementNode(rogue, async (ctx, _inputs, { does }) => {
    ctx.progress(0, 1);
    await setTimeout(50);
    switch (does) {
      case "loop":
        for (;;);
      case "abort":
        process.abort();
        break;
      case "hoard": {
        const hoard: Uint8Array[] = [];
        for (;;) {
          hoard.push(new Uint8Array(20 * 2 ** 20).fill(1));
          await setTimeout(10);
        }
      }
      case "refuse":
        throw new UserError("too-bad", "this cannot work", "do otherwise");
      case "disk-full":
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      case "bug":
        await mkdir(ctx.tempDir, { recursive: true });
        throw new TypeError("undefined is not a function");
    }
    return {};
  }),
  resumes: implementNode(resumes, async (ctx, _inputs, params) => {
    const left = await ctx.checkpoint.read();
    if (!left) {
      await ctx.checkpoint.write(bytes("first"));
      await ctx.checkpoint.write(bytes(`half of ${params.text}`));
      process.abort();
    }
    return { model: await ctx.artifacts.put("model", bytes(`${new TextDecoder().decode(left)} and the rest`)) };
  }),
  count: implementNode(count, async (ctx, _inputs, { to, failAt, known, delayMs }) => {
    async function* numbers(): AsyncGenerator<TensorItem> {
      await ctx.preview(bytes("first"), "image/png");
      for (let i = 1; i <= to; i++) {
        if (i === failAt) throw new UserError("bad-number", `cannot count to ${i}`, "count less");
        if (delayMs > 0) await setTimeout(delayMs);
        yield item(i, i);
      }
    }
    return {
      tensors: withTotal(numbers(), known ? to : undefined),
      settings: await ctx.artifacts.put("settings", bytes(JSON.stringify({ to }))),
    };
  }),
  scale: implementNode(scale, async (_ctx, { tensors }, { by, unkeepableAt }) => {
    async function* scaled(): AsyncGenerator<TensorItem> {
      for await (const one of tensors) {
        const scaled = item(one.frame.index, number(one) * by);
        yield one.frame.index === unkeepableAt ? { ...scaled, frame: unwritable(scaled.frame) } : scaled;
      }
    }
    return { tensors: withTotal(scaled(), tensors.total) };
  }),
  detect: implementNode(detect, async (_ctx, { tensors }, { above }) => {
    async function* detections() {
      for await (const one of tensors) {
        const { id: frame, width, height } = one.frame;
        const score = number(one);
        const detection = { classId: 0, class: "number", score, box: [0, 0, 1, 1] as const };
        yield { frame, width, height, detections: score > above ? [detection] : [] };
      }
    }
    return { detections: withTotal(detections(), tensors.total) };
  }),
  sum: implementNode(sum, async (ctx, { a, b }, { delayMs, fail }) => {
    let total = 0;
    let items = 0;
    const other = b?.[Symbol.asyncIterator]();
    for await (const one of a) {
      if (fail) throw new UserError("no-sum", "this sum fails");
      if (delayMs > 0) await setTimeout(delayMs);
      total += number(one);
      const paired = await other?.next();
      if (paired && !paired.done) total += number(paired.value);
      items++;
    }
    const report = await ctx.artifacts.report({ kind: "sum", version: 1, provenance: "computed", total, items });
    return { report, model: await ctx.artifacts.put("model", bytes(String(total))) };
  }),
  write: implementNode(write, async (ctx, { model }, { name }) => {
    await mkdir(join(ctx.exportsDir, name), { recursive: true });
    await writeFile(join(ctx.exportsDir, name, "text"), await ctx.artifacts.readText(model));
    return {};
  }),
  time: implementNode(time, async (ctx, _inputs, { ms }) => {
    const start = Date.now();
    await setTimeout(ms);
    const span = { start, end: Date.now(), pid: process.pid };
    return { report: await ctx.artifacts.report({ kind: "time", version: 1, provenance: "measured", ...span }) };
  }),
};
