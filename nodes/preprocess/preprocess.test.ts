import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { collect } from "../../test/support/collect.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import type { Frame } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { placePicture } from "./geometry.ts";
import { createPreprocessor } from "./pictureToTensor.ts";
import { run } from "./run.ts";
import { type PreprocessParams, preprocess, preprocessParams } from "./schema.ts";

interface Golden {
  readonly cases: readonly {
    readonly source: readonly [number, number];
    readonly size: readonly [number, number];
    readonly mode: PreprocessParams["mode"];
    readonly rgb: string;
    readonly expected: string;
  }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("./letterbox.golden.json", import.meta.url), "utf8"));
const params = (set: Partial<PreprocessParams>) => preprocessParams.parse(set);

describe("letterbox against OpenCV", () => {
  it.each(golden.cases.map((c) => [`${c.mode} ${c.source.join("x")} to ${c.size.join("x")}`, c] as const))(
    "%s",
    (_, { source: [width, height], size, mode, rgb, expected }) => {
      const convert = createPreprocessor(
        params({ width: size[0], height: size[1], mode, scale: 1, layout: "NHWC", dtype: "u8" }),
      );
      const { tensor } = convert({ width, height, rgb: new Uint8Array(Buffer.from(rgb, "base64")) });
      expect(Buffer.from(tensor.data.buffer).toString("base64")).toBe(expected);
    },
  );
});

describe("createPreprocessor", () => {
  // 2 x 1 pixels: red channel 10, 20; green 30, 40; blue 50, 60.
  const tiny = { width: 2, height: 1, rgb: new Uint8Array([10, 30, 50, 20, 40, 60]) };
  const small = { width: 2, height: 1, mode: "stretch" } as const;

  it.each<[Partial<PreprocessParams>, number[]]>([
    [{ scale: 1 }, [10, 20, 30, 40, 50, 60]],
    [{ scale: 1, colorOrder: "BGR" }, [50, 60, 30, 40, 10, 20]],
    [{ scale: 1, layout: "NHWC" }, [10, 30, 50, 20, 40, 60]],
    [{ scale: 1, layout: "NHWC", colorOrder: "BGR" }, [50, 30, 10, 60, 40, 20]],
    [{ scale: 1, colorOrder: "BGR", mean: [50, 30, 10], std: [1, 2, 5] }, [0, 10, 0, 5, 0, 2]],
    [{ scale: 0.5, mean: [5, 15, 25], std: [5, 5, 5] }, [0, 1, 0, 1, 0, 1]],
  ])("%o", (set, expected) => {
    const { tensor } = createPreprocessor(params({ ...small, ...set }))(tiny);
    expect([...tensor.data]).toEqual(expected);
    expect(tensor.dims).toEqual("layout" in set ? [1, 1, 2, 3] : [1, 3, 1, 2]);
  });

  it("writes f16 bits and rounded, clipped u8", () => {
    const f16 = createPreprocessor(params({ ...small, scale: 0.1, dtype: "f16" }))(tiny).tensor;
    expect([f16.dataType, f16.data[0]]).toEqual([DataType.FLOAT16, 0x3c00]);
    const u8 = createPreprocessor(params({ ...small, scale: 5.01, dtype: "u8" }))(tiny).tensor;
    expect([u8.dataType, ...u8.data]).toEqual([DataType.UINT8, 50, 100, 150, 200, 250, 255]);
  });

  it("crops the middle out of the scaled picture", () => {
    const wide = { width: 6, height: 2, rgb: Uint8Array.from({ length: 36 }, (_, i) => Math.floor(i / 3) % 6) };
    const set = params({ width: 2, height: 2, mode: "crop", scale: 1, layout: "NHWC" });
    expect([...createPreprocessor(set)(wide).tensor.data].filter((_, i) => i % 3 === 0)).toEqual([2, 3, 2, 3]);
  });

  it("does not share its tensors, and follows a changing source size", () => {
    const convert = createPreprocessor(params({ ...small, scale: 1 }));
    const first = convert(tiny).tensor;
    const other = convert({ width: 1, height: 1, rgb: new Uint8Array([7, 8, 9]) });
    expect([...first.data]).toEqual([10, 20, 30, 40, 50, 60]);
    expect([...other.tensor.data]).toEqual([7, 7, 8, 8, 9, 9]);
    expect(other.transform.scaleX).toBe(2);
  });
});

describe("placePicture", () => {
  it.each(["letterbox-center", "letterbox-topleft", "stretch", "crop"] as const)("%s maps the corners", (mode) => {
    const { transform, left, top, windowWidth, windowHeight, x, y } = placePicture(
      { width: 640, height: 427 },
      params({ width: 416, height: 320, mode }),
    );
    // The window's corner in the input, taken back to the source and forth, is the corner again.
    const sourceX = (left - transform.offsetX) / transform.scaleX;
    expect(sourceX * transform.scaleX).toBeCloseTo(x, 9);
    expect(((top - transform.offsetY) / transform.scaleY) * transform.scaleY).toBeCloseTo(y, 9);
    expect(left + windowWidth).toBeLessThanOrEqual(416);
    expect(top + windowHeight).toBeLessThanOrEqual(320);
  });
});

describe("preprocess", () => {
  const frames = (): Frame[] => [{ id: "a.jpg", index: 0, width: 2, height: 1, rgb: new Uint8Array(6).fill(255) }];

  it("gives settings that make a second one do the same", async () => {
    await using space = await openNodeWorkspace();
    const set = { width: 4, height: 4, pad: 0, colorOrder: "BGR" } as const;
    const first = await space.run(run, { inputs: { source: streamOf(frames()), settings: undefined }, params: set });
    const { settings } = first.outputs;
    expect(settings && (await space.artifacts.readJson(settings))).toEqual({
      kind: "settings",
      version: 1,
      ...params(set),
    });
    const second = await space.run(run, { inputs: { source: streamOf(frames()), settings } });
    const [a] = await collect(first.outputs.tensors ?? streamOf([]));
    const [b] = await collect(second.outputs.tensors ?? streamOf([]));
    expect(a).toEqual(b);
    expect(a?.tensors[""]?.dims).toEqual([1, 3, 4, 4]);
    expect(second.outputs.settings?.digest).toBe(settings?.digest);
    expect(first.previews.length).toBe(1);
  });

  it("does what a known model wants, where nothing else is set here, and says what is", async () => {
    await using space = await openNodeWorkspace();
    const wanted = params({ width: 8, height: 4, mode: "stretch", colorOrder: "BGR", interpolation: "area" });
    const json = { kind: "settings", version: 1, title: "tiny", preprocess: wanted, nms: { decoder: "yolox" } };
    const settings = await space.artifacts.put("settings", new TextEncoder().encode(JSON.stringify(json)));
    const source = () => streamOf(frames());
    const as = await space.run(run, { inputs: { source: source(), settings } });
    const done = as.outputs.settings && (await space.artifacts.readJson(as.outputs.settings));
    expect(done).toEqual({ kind: "settings", version: 1, ...wanted });
    expect(as.logs).toEqual([]);
    const other = await space.run(run, { inputs: { source: source(), settings }, params: { mode: "crop", width: 8 } });
    const changed = other.outputs.settings && (await space.artifacts.readJson(other.outputs.settings));
    expect(changed).toEqual({ kind: "settings", version: 1, ...wanted, mode: "crop" });
    expect(other.logs).toEqual(['mode is "crop" as set here; tiny wants "stretch"']);
  });

  it("refuses other settings", async () => {
    await using space = await openNodeWorkspace();
    const wrong = await space.artifacts.put("settings", new TextEncoder().encode('{"kind":"settings","version":2}'));
    const inputs = { source: streamOf(frames()), settings: wrong };
    await expect(space.run(run, { inputs })).rejects.toMatchObject({ code: "bad-settings" });
  });

  it("warns of parameters that the wired settings overrule", () => {
    const wired = { settings: [{ type: "preprocess", params: { width: 352 } }] };
    expect(preprocess.check?.(params({ width: 416 }), { wired })).toEqual([
      expect.objectContaining({ code: "settings-win", severity: "warning", message: expect.stringContaining("width") }),
    ]);
    expect(preprocess.check?.(params({ width: 352 }), { wired })).toEqual([]);
    expect(preprocess.check?.(params({}), { wired })).toEqual([]);
  });
});
