/**
 * What a runtime reaches of a device's peaks, fitted to published latencies. `latency.test.ts` holds every row and the
 * errors stated here.
 *
 * The time of a kernel is max(2 * macs / (peak * efficiency), bytes / (bandwidth * memory)) + launch; a model takes the
 * sum over its kernels + fixed. Rows are YOLOv8 and YOLO11 at 640 x 640, batch 1, inference alone.
 */
import type { Fusion } from "./kernels.ts";

export const FIT_IDS = [
  "tensorrt-orin",
  "tensorrt-discrete",
  "onnxruntime-x86",
  "onnxruntime-a76",
  "onnxruntime-a72",
  "onnxruntime-hexagon",
] as const;
export type FitId = (typeof FIT_IDS)[number];

export interface LatencyFit {
  readonly fusion: Fusion;
  /** Shares of the profile's peaks. */
  readonly f32: number;
  readonly f16: number;
  readonly i8: number;
  /** Share of the profile's memory bandwidth. */
  readonly memory: number;
  readonly launchUs: number;
  readonly fixedMs: number;
  /** Precisions that have rows. */
  readonly precisions: readonly ("f32" | "f16" | "i8")[];
  /** Least and most FLOPs of a model in the rows, in units of 1e9. */
  readonly gflops: readonly [number, number];
  /** Smallest and largest measured / predicted over the rows. */
  readonly spread: readonly [number, number];
  readonly rows: string;
}

export const FITS: Readonly<Record<FitId, LatencyFit>> = {
  "tensorrt-orin": {
    fusion: "pointwise",
    f32: 0.413,
    f16: 0.49,
    i8: 0.409,
    memory: 0.385,
    launchUs: 3.25,
    fixedMs: 1.784,
    precisions: ["f32", "f16", "i8"],
    gflops: [6.5, 258],
    spread: [0.87, 1.23],
    rows: "53 rows of TensorRT 8.5-10.3 on Orin Nano, Orin NX and AGX Orin (Ultralytics, hokwangchoi; those of AGX Orin carried over from YOLO26)",
  },
  "tensorrt-discrete": {
    fusion: "pointwise",
    f32: 0.81,
    f16: 0.327,
    i8: 0.29,
    memory: 0.515,
    launchUs: 4.6,
    fixedMs: 0.39,
    precisions: ["f32", "f16", "i8"],
    gflops: [6.5, 258],
    spread: [0.79, 1.15],
    rows: "16 rows of TensorRT on T4, A100, RTX 3060 and RTX 3080 (Ultralytics)",
  },
  "onnxruntime-x86": {
    fusion: "activation",
    f32: 1.41,
    f16: 1.41,
    i8: 0.26,
    memory: 1,
    launchUs: 5,
    fixedMs: 0.05,
    precisions: ["f32", "i8"],
    gflops: [0.2, 2.9],
    spread: [0.87, 1.09],
    rows: "6 measurements on one core of an EPYC server, with the nominal peak that a profile of this machine has",
  },
  "onnxruntime-a76": {
    fusion: "activation",
    f32: 0.618,
    f16: 0.618,
    // No published row: the ratio to f32 that the x86 fit has.
    i8: 0.114,
    memory: 0.346,
    launchUs: 20,
    fixedMs: 0.2,
    precisions: ["f32"],
    gflops: [6.5, 195],
    spread: [0.92, 1.18],
    rows: "7 rows of ONNX Runtime on a Raspberry Pi 5 (Ultralytics)",
  },
  "onnxruntime-a72": {
    fusion: "activation",
    f32: 0.398,
    f16: 0.398,
    i8: 0.398,
    memory: 0.223,
    launchUs: 20,
    fixedMs: 0.2,
    precisions: ["f32"],
    gflops: [8.7, 28.6],
    spread: [0.95, 1.06],
    rows: "2 rows of ONNX Runtime on a Raspberry Pi 4 (Ultralytics), efficiencies of the Pi 5 scaled by one factor",
  },
  "onnxruntime-hexagon": {
    fusion: "pointwise",
    f32: 0.168,
    f16: 0.168,
    i8: 0.785,
    memory: 0.7,
    launchUs: 2,
    fixedMs: 0.1,
    precisions: ["f16", "i8"],
    gflops: [6.5, 8.7],
    spread: [0.87, 1.2],
    rows: "3 rows of Qualcomm AI Hub on Snapdragon 8 Gen 3",
  },
};

/** How far measurements lay from the prediction for devices that a fit had not seen (AGX Orin, Raspberry Pi 4). */
export const EXTRAPOLATED_SPREAD: readonly [number, number] = [0.7, 1.65];
