import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { collect } from "../../test/support/collect.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import { run as infer } from "../infer/run.ts";
import { run as loadImages } from "../load-images/run.ts";
import type { FrameTransform } from "../ports.ts";
import { run as preprocess } from "../preprocess/run.ts";
import { streamOf } from "../streams.ts";
import { DECODER_NAMES, DECODERS, fittingDecoders } from "./decoders.ts";
import { createDetector } from "./detect.ts";
import { run } from "./run.ts";
import { type NmsParams, nms } from "./schema.ts";

/** A 64 x 64 input showing a 128 x 96 picture letterboxed at the top left: half its size. */
const transform: FrameTransform = { scaleX: 0.5, scaleY: 0.5, offsetX: 0, offsetY: 0, inputWidth: 64, inputHeight: 64 };
const frame = { id: "a.jpg", index: 0, width: 128, height: 96 };
const CELLS = 64 + 16 + 4;

function tensor(dims: readonly number[], values: Readonly<Record<number, number>>) {
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  for (const [at, value] of Object.entries(values)) data[Number(at)] = value;
  return { dataType: DataType.FLOAT, dims, data };
}

function detect(tensors: HostTensors, params: Partial<NmsParams> = {}) {
  return createDetector(nms.params.parse(params))({ frame, transform, tensors }).detections;
}

/** Rows of an anchors-first output: what stands in row `at`. */
const row = (at: number, width: number, values: readonly number[]) =>
  Object.fromEntries(values.map((value, i) => [at * width + i, value]));
/** Columns of a channels-first output. */
const column = (at: number, anchors: number, values: readonly number[]) =>
  Object.fromEntries(values.map((value, i) => [i * anchors + at, value]));

// Each family says the same thing its own way: class 1 at .8, box 16, 8 to 32, 24 of the input (32, 16 to 64, 48 of the picture).
const center = [24, 16, 16, 16];
const sayings: Readonly<Record<string, HostTensors>> = {
  // Cell 3, 2 of an 8 x 8 grid of 8 px; tanh(0) = 0 puts the centre on the cell's corner; sigmoid(ln(1/3)) = 1/4.
  fastestdet: {
    out: tensor([1, 7, 8, 8], column(2 * 8 + 3, 64, [0.8, 0, 0, Math.log(1 / 3), Math.log(1 / 3), 0, 0.8])),
  },
  // The 4 x 4 grid of stride 16 follows 64 cells of stride 8: cell 1, 1.
  yolox: { out: tensor([1, CELLS, 7], row(64 + 5, 7, [0.5, 0, 0, 0, 0.8, 0, 1])) },
  yolov5: { out: tensor([1, 3 * CELLS, 7], row(100, 7, [...center, 0.8, 0, 1])) },
  yolov8: { out: tensor([1, 6, CELLS], column(70, CELLS, [...center, 0.1, 0.8])) },
  "end-to-end": { out: tensor([1, 20, 6], row(4, 6, [16, 8, 32, 24, 0.8, 1])) },
  ssd: {
    boxes: tensor([1, 30, 4], row(9, 4, [0.25, 0.125, 0.5, 0.375])),
    scores: tensor([1, 30, 3], {
      ...Object.fromEntries(Array.from({ length: 30 }, (_, i) => [i * 3, 1])),
      ...row(9, 3, [0.1, 0.1, 0.8]),
    }),
  },
};

describe("decoders", () => {
  it.each(DECODER_NAMES)("%s is told by its shape, and read", (name) => {
    const tensors = sayings[name] ?? {};
    const dims = Object.entries(tensors).map(([output, { dims }]) => ({ name: output, dims }));
    expect(fittingDecoders(dims, transform)[0]).toBe(name);
    for (const decoder of ["auto", name] as const) {
      expect(detect(tensors, { decoder, classes: "cat,dog" })).toEqual([
        {
          classId: 1,
          class: "dog",
          score: expect.closeTo(0.8, 5),
          box: [32, 16, 32, 32].map((x) => expect.closeTo(x, 2)),
        },
      ]);
    }
  });

  it("reads grids that begin at stride 4", () => {
    // Cell 5, 2 of the 16 x 16 grid of 4 px in front.
    const finest = { out: tensor([1, 256 + CELLS, 7], row(2 * 16 + 5, 7, [0.5, 0.5, 1, 0, 0.8, 0, 1])) };
    expect(detect(finest, { decoder: "yolox" })).toMatchObject([
      { classId: 1, box: [44 - 4 * Math.E, 16, 8 * Math.E, 8].map((x) => expect.closeTo(x, 3)) },
    ]);
    const coarser = { out: tensor([1, 256 + CELLS, 7], row(256 + 64 + 5, 7, [0.5, 0, 0, 0, 0.8, 0, 1])) };
    expect(detect(coarser)[0]?.box).toEqual(detect(sayings.yolox ?? {})[0]?.box);
  });

  it("reads the finer grids of a network that enlarges its input", () => {
    // Enlarged by 1.5 the input of 64 pixels has 12, 6 and 3 cells a side; cell 5, 2 of the first, in pixels of the picture.
    const out = tensor([1, 144 + 36 + 9, 7], row(2 * 12 + 5, 7, [0.5, 0.5, 0, 0, 0.8, 0, 1]));
    const [found] = detect({ out }, { decoder: "yolox" });
    const stride = (2 * 16) / 3;
    expect(found?.box).toEqual([5 * stride, 2 * stride, stride, stride].map((x) => expect.closeTo(x, 3)));
  });

  it("clips boxes to the picture and drops those outside of it", () => {
    const values = { ...row(0, 6, [-9, -9, 20, 90, 0.9, 0]), ...row(1, 6, [0, 50, 30, 60, 0.8, 0]) };
    expect(detect({ out: tensor([1, 5, 6], values) }).map(({ box }) => box)).toEqual([[0, 0, 40, 96]]);
  });

  it("takes one or every class of an anchor", () => {
    const out = tensor([1, 6, CELLS], column(0, CELLS, [...center, 0.6, 0.8]));
    const classIds = (params: Partial<NmsParams>) => detect({ out }, params).map(({ classId }) => classId);
    expect(classIds({})).toEqual([1]);
    expect(classIds({ scoreThreshold: 0.1 })).toEqual([1, 0]);
    expect(classIds({ scoreThreshold: 0.1, classesPerBox: "best" })).toEqual([1]);
    expect(classIds({ classesPerBox: "all" })).toEqual([1, 0]);
    expect(classIds({ classesPerBox: "all", classAware: false })).toEqual([1]);
    expect(detect({ out }, { classesPerBox: "all", classAware: false, soft: true }).map(({ score }) => score)).toEqual([
      expect.closeTo(0.8, 5),
      // Their overlap is whole: exp(-1 / .5) of .6 is below the threshold of .25.
    ]);
  });

  it("names COCO's classes where there are 80, else numbers", () => {
    const out = (classes: number) => tensor([1, 4 + classes, CELLS], column(0, CELLS, [...center, 0.9]));
    expect(detect({ out: out(80) }, { decoder: "yolov8" })[0]?.class).toBe("person");
    expect(detect({ out: out(3) })[0]?.class).toBe("class 0");
    expect(() => detect({ out: out(3) }, { classes: "a,b" })).toThrow(expect.objectContaining({ code: "class-names" }));
  });

  it("reads f16", () => {
    const bits = new Uint16Array(CELLS * 5);
    for (const [i, half] of [0x4e00, 0x4c00, 0x4c00, 0x4c00, 0x3a66].entries()) bits[i * CELLS] = half;
    const out = { dataType: DataType.FLOAT16, dims: [1, 5, CELLS], data: bits };
    expect(detect({ out })[0]).toMatchObject({ score: expect.closeTo(0.8, 3), box: [32, 16, 32, 32] });
  });

  it.each([
    ["wrong-decoder", { decoder: "yolov8" }, sayings.yolox, "yolox"],
    ["wrong-decoder", { decoder: "yolox" }, { out: tensor([1, 99, 7], {}) }, "width and height"],
    ["no-decoder", {}, { out: tensor([1, 7], {}) }, "yolov8 [1, 4 + classes"],
    ["wrong-decoder", { decoder: "classify" }, sayings.yolox, "auto"],
  ] as const)("refuses with %s: %o", (code, params, tensors, fix) => {
    expect(() => detect(tensors ?? {}, params)).toThrow(
      expect.objectContaining({ code, fix: expect.stringContaining(fix) }),
    );
  });

  it("wants to know where the picture lies", () => {
    const detector = createDetector(nms.params.parse({}));
    expect(() => detector({ frame, tensors: sayings.yolox ?? {} })).toThrow(
      expect.objectContaining({ code: "no-transform" }),
    );
  });

  it("every row tells its shape", () => {
    for (const { shape } of Object.values(DECODERS)) expect(shape).toMatch(/^\[1, /);
  });
});

describe("classify", () => {
  it("gives the five best by softmax, as whole images", () => {
    const out = tensor([1, 7], { 0: 1, 3: 4, 6: 2 });
    const got = detect({ out }, { decoder: "classify" });
    const sum = 4 + Math.E + Math.E ** 4 + Math.E ** 2;
    expect(got.map(({ classId }) => classId)).toEqual([3, 6, 0, 1, 2]);
    expect(got[0]).toMatchObject({ score: expect.closeTo(Math.E ** 4 / sum, 5), box: [0, 0, 128, 96] });
  });
  it("leaves probabilities as they are", () => {
    const got = detect({ out: tensor([1, 3], { 0: 0.25, 1: 0.75 }) }, { decoder: "classify" });
    expect(got.map(({ score }) => score)).toEqual([0.75, 0.25, 0]);
  });
});

describe("a model's settings", () => {
  const settings = { kind: "settings", version: 1, title: "tiny", nms: { decoder: "yolov5", classes: "cat,dog" } };
  // A YOLOX decoded in its graph: by its shape alone it would pass for one that is not.
  const item = { frame, transform, tensors: { out: tensor([1, CELLS, 7], row(70, 7, [...center, 0.8, 0, 1])) } };

  async function found(params: Partial<NmsParams>, json: unknown = settings) {
    await using space = await openNodeWorkspace();
    const ref = await space.artifacts.put("settings", new TextEncoder().encode(JSON.stringify(json)));
    const { outputs } = await space.run(run, { inputs: { tensors: streamOf([item]), settings: ref }, params });
    return collect(outputs.detections ?? streamOf([]));
  }

  it("give the decoder and the class names where none are set", async () => {
    const [told] = await found({});
    expect(told?.detections).toMatchObject([{ class: "dog", box: [32, 16, 32, 32] }]);
    const [set] = await found({ decoder: "yolox", classes: "hat,man" });
    expect(set?.detections).toMatchObject([{ class: "man" }]);
    expect(set?.detections[0]?.box).not.toEqual([32, 16, 32, 32]);
  });

  it("may say nothing of boxes, as a preprocess's do; what is no settings is refused", async () => {
    const [plain] = await found({ decoder: "yolov5" }, { kind: "settings", version: 1, width: 64 });
    expect(plain?.detections).toMatchObject([{ class: "class 1" }]);
    await expect(found({}, { kind: "settings", version: 2 })).rejects.toMatchObject({ code: "bad-settings" });
  });
});

describe.skipIf(!testData)("RFB-320 (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("finds faces from its old file", async () => {
    await using space = await openNodeWorkspace();
    const images = (await space.run(loadImages, { inputs: {}, sources: { source: dataPath("faces") } })).outputs.images;
    if (!images) throw new Error("no images");
    const model = await space.artifacts.put("model", await readFile(dataPath("models", "rfb-320.onnx")));
    const params = {
      width: 320,
      height: 240,
      mode: "stretch",
      scale: 1,
      mean: [127, 127, 127],
      std: [128, 128, 128],
    } as const;
    const prepared = await space.run(preprocess, {
      inputs: { source: images, settings: undefined },
      params: { ...params, mean: [...params.mean], std: [...params.std] },
    });
    const tensors = prepared.outputs.tensors ?? streamOf([]);
    const outputs = (await space.run(infer, { inputs: { model, tensors } })).outputs.tensors ?? streamOf([]);
    const { detections } = (
      await space.run(run, {
        inputs: { tensors: outputs, settings: undefined },
        params: { scoreThreshold: 0.7, classes: "face" },
      })
    ).outputs;
    const found = await collect(detections ?? streamOf([]));
    expect(found.length).toBe(12);
    expect(found.every((item) => item.detections.every((d) => d.class === "face"))).toBe(true);
    expect(found.filter((item) => item.detections.length > 0).length).toBeGreaterThanOrEqual(11);
    expect(Math.max(...found.map((item) => item.detections.length))).toBeGreaterThan(10);
  });
});
