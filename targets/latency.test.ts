import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type ModelCost, modelCost } from "../onnx/cost.ts";
import { inferShapes } from "../onnx/infer.ts";
import { Graph, Model } from "../onnx/ir/graph.ts";
import { memorySource } from "../onnx/ir/tensor.ts";
import { readModel } from "../onnx/serde.ts";
import { dataPath, testData } from "../test/support/data.ts";
import { oneNodeModel, zeros } from "../test/support/oneNodeModel.ts";
import { type YoloPrecision, type YoloSize, yoloModel } from "../test/support/yoloGraph.ts";
import type { DeviceProfile } from "./deviceProfile.ts";
import { FIT_IDS, FITS, type FitId } from "./fits.ts";
import { deviceProfile, deviceProfiles } from "./index.ts";
import { estimateLatency, estimateMemory, NoEstimateError } from "./latency.ts";

type Rows = Partial<Record<YoloPrecision, readonly number[]>>;
interface Published {
  readonly device: string;
  readonly version: "v8" | "v11";
  /** Milliseconds of n, s, m, l, x (or as many as are published). */
  readonly ms: Rows;
}

/** Ultralytics 8.3.51 docs, NVIDIA Jetson guide (JetPack 6.1, MAXN and jetson_clocks, inference alone). */
const NANO: Rows = {
  f32: [7.6, 13.29, 28.21, 35.59, 67.32],
  f16: [4.91, 7.3, 13.99, 17.57, 32.94],
  i8: [3.91, 5.25, 9.58, 12.37, 20.72],
};
/** Ultralytics 8.4.33 docs: YOLO26 on the same board, whose graph is not here; YOLO11's times are carried over by it. */
const NANO_26: Rows = {
  f32: [7.53, 13.6, 28.19, 35.88, 67.17],
  f16: [4.57, 7.17, 13.59, 17.42, 32.6],
  i8: [3.8, 5.25, 9.3, 11.83, 19.99],
};
const AGX_26: Rows = {
  f32: [4.18, 6.82, 12.6, 15.9, 28.43],
  f16: [2.62, 3.76, 6.24, 7.93, 13.5],
  i8: [2.3, 2.98, 4.72, 5.97, 9.33],
};
const carried = (precision: YoloPrecision): number[] =>
  (AGX_26[precision] ?? []).map((ms, i) => (ms * (NANO[precision]?.[i] ?? 0)) / (NANO_26[precision]?.[i] ?? 1));

const PUBLISHED: readonly Published[] = [
  { device: "jetson-orin-nano-8gb-maxn-super", version: "v11", ms: NANO },
  {
    device: "jetson-orin-nx-16gb",
    version: "v11",
    ms: {
      f32: [8.05, 14.13, 30.72, 38.68, 76.44],
      f16: [4.85, 7.55, 14.45, 18.53, 35.99],
      i8: [4.37, 5.63, 10.19, 13.36, 22.32],
    },
  },
  {
    device: "jetson-agx-orin-64gb",
    version: "v11",
    ms: { f32: carried("f32"), f16: carried("f16"), i8: carried("i8") },
  },
  // hokwangchoi/jetson-orin-nano-benchmarks, TensorRT 10.3, GPU time.
  { device: "jetson-orin-nano-8gb-maxn-super", version: "v8", ms: { f32: [8.36], f16: [4.43], i8: [3.49] } },
  // Older Ultralytics docs, JetPack 5.1.3.
  { device: "jetson-orin-nx-16gb", version: "v8", ms: { f32: [8.9, 14.82, 33.21, 51.23, 84.53] } },
  // Ultralytics model cards and TensorRT docs.
  { device: "t4", version: "v11", ms: { f16: [1.5, 2.5, 4.7, 6.2, 11.3] } },
  { device: "a100", version: "v8", ms: { f16: [0.99, 1.2, 1.83, 2.39, 3.53] } },
  { device: "rtx-3080", version: "v8", ms: { f32: [1.37], f16: [0.85], i8: [0.74] } },
  { device: "rtx-3060", version: "v8", ms: { f32: [1.94], f16: [1.43], i8: [1.35] } },
  // Ultralytics Raspberry Pi docs, ONNX Runtime.
  { device: "raspberry-pi-5", version: "v11", ms: { f32: [147.2, 366.8, 997.5, 1275, 2647] } },
  { device: "raspberry-pi-5", version: "v8", ms: { f32: [198.7, 451.4] } },
  { device: "raspberry-pi-4", version: "v8", ms: { f32: [560, 1436] } },
  // Qualcomm AI Hub model pages, ends of the published ranges averaged.
  { device: "snapdragon-8-gen-3", version: "v8", ms: { f16: [3.31], i8: [1.4] } },
  { device: "snapdragon-8-gen-3", version: "v11", ms: { f16: [3.89] } },
];

/** Devices in the rows of "tensorrt-discrete" that are no targets themselves: data-sheet peaks, FP32 as TF32. */
function server(id: string, peakOps: DeviceProfile["peakOps"], memoryBandwidth: number): DeviceProfile {
  const latency = { fit: "tensorrt-discrete", evidence: "published" } as const;
  return {
    id,
    name: id,
    access: "predicted",
    runtime: "tensorrt",
    peakOps,
    memoryBandwidth,
    latency,
    source: "data sheet",
  };
}
const SERVERS: readonly DeviceProfile[] = [
  server("t4", { f32: 8.1e12, f16: 65e12, i8: 130e12 }, 320e9),
  server("a100", { f32: 156e12, f16: 312e12, i8: 624e12 }, 1555e9),
  server("rtx-3080", { f32: 29.8e12, f16: 119e12, i8: 238e12 }, 760e9),
];

function profileOf(id: string): DeviceProfile {
  const profile = deviceProfile(id) ?? SERVERS.find((server) => server.id === id);
  if (!profile) throw new Error(`no profile ${id}`);
  return profile;
}

const SIZES: readonly YoloSize[] = ["n", "s", "m", "l", "x"];
const PRECISIONS: readonly YoloPrecision[] = ["f32", "f16", "i8"];

const costs = new Map<string, ModelCost>();
function yoloCost(version: "v8" | "v11", size: YoloSize, precision: YoloPrecision): ModelCost {
  const key = `${version}${size} ${precision}`;
  const cost = costs.get(key) ?? modelCost(yoloModel(version, size, precision));
  costs.set(key, cost);
  return cost;
}

/** Every published row beside its estimate. */
const rows = PUBLISHED.flatMap(({ device, version, ms }) =>
  PRECISIONS.flatMap((precision) =>
    (ms[precision] ?? []).map((published, i) => {
      const size = SIZES[i] ?? "n";
      const profile = profileOf(device);
      const estimate = estimateLatency(yoloCost(version, size, precision), profile);
      return { name: `${device} ${version}${size} ${precision}`, fit: estimate.basis.fit, published, estimate };
    }),
  ),
);

/** Root mean square and largest relative error of each fit, as `fits.ts` and the README state them. */
const ERRORS: Partial<Record<FitId, { rows: number; rms: number; largest: number }>> = {
  "tensorrt-orin": { rows: 53, rms: 0.06, largest: 0.19 },
  "tensorrt-discrete": { rows: 16, rms: 0.11, largest: 0.27 },
  "onnxruntime-a76": { rows: 7, rms: 0.08, largest: 0.16 },
  "onnxruntime-a72": { rows: 2, rms: 0.06, largest: 0.07 },
  "onnxruntime-hexagon": { rows: 3, rms: 0.13, largest: 0.17 },
};

describe("estimates against published latencies", () => {
  for (const fit of FIT_IDS) {
    const stated = ERRORS[fit];
    // The x86 fit has no published rows: it is held to measurements below.
    if (!stated) continue;
    const own = rows.filter((row) => row.fit === fit);
    it(`${fit}: rms error ${stated.rms}, largest ${stated.largest}`, () => {
      const errors = own.map(({ estimate, published }) => estimate.p50Ms / published - 1);
      const rms = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
      expect(own.length).toBe(stated.rows);
      expect(rms).toBeLessThan(stated.rms);
      expect(Math.max(...errors.map(Math.abs))).toBeLessThan(stated.largest);
    });
    it(`${fit}: every published row lies in the interval, and the interval is no wider than needed`, () => {
      const ratios = own.map(({ estimate, published }) => published / estimate.p50Ms);
      const [low, high] = FITS[fit].spread;
      expect(low).toBeLessThanOrEqual(Math.min(...ratios));
      expect(high).toBeGreaterThanOrEqual(Math.max(...ratios));
      expect(low).toBeGreaterThan(Math.min(...ratios) - 0.03);
      expect(high).toBeLessThan(Math.max(...ratios) + 0.03);
    });
  }
});

/** Measured with onnxruntime 1.32 on one core of an EPYC server (AVX-512); its nominal peak is 64 operations at 2.5 GHz. */
const ONE_CORE: DeviceProfile = {
  id: "one-core",
  name: "one core",
  access: "local",
  runtime: "onnxruntime",
  peakOps: { f32: 160e9, i8: 640e9 },
  source: "instruction set",
};
const MEASURED_MS = { fastestdet: 1.93, "yolox-nano": 6.5, "rfb-320": 1.22, "minilm-l6": 14.9 };

describe.skipIf(!testData)("estimates against measurements on x86 (needs EDGEWRIGHT_TEST_DATA)", () => {
  for (const [name, ms] of Object.entries(MEASURED_MS)) {
    it(`${name}: within 15 %`, async () => {
      const model = await readModel(memorySource(await readFile(dataPath(`models/${name}.onnx`))));
      inferShapes(model);
      const { p50Ms } = estimateLatency(modelCost(model, { dims: { batch: 1, sequence: 128 } }), ONE_CORE);
      expect(Math.abs(p50Ms / ms - 1)).toBeLessThan(0.15);
    });
  }
});

const nano = profileOf("jetson-orin-nano-8gb-maxn-super");

describe("estimateLatency", () => {
  it("counts a SiLU into the convolution before it and a Concat as nothing under TensorRT", () => {
    const { perOp } = estimateLatency(modelCost(yoloModel("v8", "n")), nano);
    expect(perOp[0]?.opType).toBe("Conv + Sigmoid + Mul");
    expect(perOp.some((op) => op.opType === "Concat")).toBe(false);
  });

  it("keeps Sigmoid and Mul apart under ONNX Runtime", () => {
    const { perOp } = estimateLatency(modelCost(yoloModel("v8", "n")), profileOf("raspberry-pi-5"));
    expect(perOp.slice(0, 3).map((op) => op.opType)).toEqual(["Conv", "Sigmoid", "Mul"]);
  });

  it("sums its operators and the fixed time", () => {
    const estimate = estimateLatency(modelCost(yoloModel("v11", "s", "f16")), nano);
    const sum = estimate.perOp.reduce((total, op) => total + op.ms, estimate.fixedMs);
    expect(estimate.p50Ms).toBeCloseTo(sum, 9);
    expect(estimate.interval[0]).toBeLessThan(estimate.p50Ms);
    expect(estimate.interval[1]).toBeGreaterThan(estimate.p50Ms);
  });

  it("says where no published row stands behind it, and widens the interval", () => {
    const cost = modelCost(yoloModel("v11", "n", "i8"));
    const measured = estimateLatency(cost, nano);
    const slower = estimateLatency(cost, profileOf("jetson-orin-nano-8gb-15w"));
    expect(measured.basis.evidence).toBe("published");
    expect(slower.basis.evidence).toBe("extrapolated");
    expect(slower.p50Ms).toBeGreaterThan(measured.p50Ms);
    expect(slower.interval[1] / slower.p50Ms).toBeGreaterThan(measured.interval[1] / measured.p50Ms);
    expect(slower.basis.unlike).toEqual(["device"]);
    expect(estimateLatency(cost, profileOf("raspberry-pi-5")).basis.unlike).toEqual(["precision"]);
  });

  it("counts a model far smaller than those in the rows as unlike them", () => {
    const model = oneNodeModel({ opType: "Conv", inputs: [[1, 3, 32, 32], zeros(1, [8, 3, 3, 3])] });
    inferShapes(model);
    expect(estimateLatency(modelCost(model), nano).basis.unlike).toEqual(["size"]);
  });

  it("lists what it cannot know", () => {
    const graph = new Graph("g");
    const model = new Model(graph);
    const x = graph.addInput("x", { elemType: 1, shape: ["batch", 3] });
    graph.addOutput(graph.addNode({ opType: "Relu", inputs: [x], outputs: ["y"] }).output());
    expect(estimateLatency(modelCost(model), nano).unknown.map((node) => node.opType)).toEqual(["Relu"]);
  });

  it("refuses a runtime that no figures cover", () => {
    const { latency: _, ...rest } = nano;
    const browser: DeviceProfile = { ...rest, runtime: "onnxruntime-web" };
    expect(() => estimateLatency(modelCost(yoloModel("v8", "n")), browser)).toThrow(NoEstimateError);
  });
});

describe("estimateMemory", () => {
  it("adds weights and peak activations, and says whether they fit", () => {
    const cost = modelCost(yoloModel("v8", "n", "f16"));
    const memory = estimateMemory(cost, nano);
    expect(memory.totalBytes).toBe(cost.weightBytes + (cost.peakActivationBytes ?? 0));
    expect(memory.fits).toBe(true);
    expect(estimateMemory(cost, { ...nano, memoryBytes: 1e6 }).fits).toBe(false);
  });
});

describe("profiles", () => {
  it("have distinct ids", () => {
    expect(new Set(deviceProfiles.map(({ id }) => id)).size).toBe(deviceProfiles.length);
  });

  it("state peaks that follow precision", () => {
    for (const { peakOps } of deviceProfiles) {
      if (peakOps.f16) expect(peakOps.f16).toBeGreaterThanOrEqual(peakOps.f32);
      if (peakOps.i8) expect(peakOps.i8).toBeGreaterThanOrEqual(peakOps.f16 ?? peakOps.f32);
    }
  });
});
