/** Predicts latency and memory on a device nobody has at hand. Every figure is an estimate and carries its interval. */
import type { ModelCost, Precision } from "../onnx/cost.ts";
import type { Node } from "../onnx/ir/graph.ts";
import type { DeviceProfile } from "./deviceProfile.ts";
import { EXTRAPOLATED_SPREAD, FITS, type FitId, type LatencyFit } from "./fits.ts";
import { type Kernel, kernelsOf } from "./kernels.ts";

export interface OpEstimate {
  /** The node, and what the runtime fuses into it: `Conv + Sigmoid + Mul`. */
  readonly name: string;
  readonly opType: string;
  readonly nodes: readonly string[];
  readonly precision: Precision;
  readonly ms: number;
  readonly bound: "compute" | "memory" | "launch";
}

export interface LatencyEstimate {
  readonly p50Ms: number;
  readonly interval: readonly [number, number];
  readonly perOp: readonly OpEstimate[];
  /** Time that belongs to no operator. */
  readonly fixedMs: number;
  readonly basis: {
    readonly fit: FitId;
    /** "extrapolated": no row is like this; `unlike` says in what. */
    readonly evidence: "published" | "extrapolated";
    readonly unlike: readonly ("device" | "precision" | "size")[];
    readonly rows: string;
  };
  /** Nodes whose size or cost is unknown: they count as an empty launch. */
  readonly unknown: readonly Node[];
}

export class NoEstimateError extends Error {
  readonly code = "no-estimate";
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

/** Throws `NoEstimateError` where no published figures cover the target's runtime. */
export function estimateLatency(cost: ModelCost, profile: DeviceProfile): LatencyEstimate {
  const { id, evidence, overhead } = choiceFor(profile);
  const fit = FITS[id];
  const kernels = kernelsOf(cost, fit.fusion);
  const perOp = kernels.map((kernel) => opEstimate(kernel, fit, { profile, overhead }));
  const fixedMs = fit.fixedMs * overhead;
  const p50Ms = perOp.reduce((total, op) => total + op.ms, fixedMs);
  const unlike = [
    ...(evidence === "published" ? [] : ["device" as const]),
    ...(fit.precisions.includes(mainPrecision(kernels, fit)) ? [] : ["precision" as const]),
    ...(isNear((2 * cost.knownMacs) / 1e9, fit.gflops) ? [] : ["size" as const]),
  ];
  const [low, high] = unlike.length === 0 ? fit.spread : EXTRAPOLATED_SPREAD;
  return {
    p50Ms,
    interval: [p50Ms * low, p50Ms * high],
    perOp,
    fixedMs,
    basis: { fit: id, evidence: unlike.length === 0 ? "published" : "extrapolated", unlike, rows: fit.rows },
    unknown: kernels.filter((kernel) => !kernel.known).flatMap((kernel) => kernel.nodes),
  };
}

/** Within a factor of two of the range. */
function isNear(value: number, [least, most]: readonly [number, number]): boolean {
  return value >= least / 2 && value <= most * 2;
}

interface Choice {
  readonly id: FitId;
  readonly evidence: "published" | "extrapolated";
  readonly overhead: number;
}

function choiceFor(profile: DeviceProfile): Choice {
  if (profile.latency) {
    const { fit, evidence, overhead } = profile.latency;
    return { id: fit, evidence, overhead: overhead ?? 1 };
  }
  const id = DEFAULT_FITS[profile.runtime];
  if (!id) {
    throw new NoEstimateError(
      `no published latencies cover ${profile.runtime} on ${profile.name}`,
      "Measure on the device itself, or choose another target.",
    );
  }
  return { id, evidence: "extrapolated", overhead: 1 };
}

const DEFAULT_FITS: Partial<Record<DeviceProfile["runtime"], FitId>> = {
  tensorrt: "tensorrt-discrete",
  onnxruntime: "onnxruntime-x86",
};

function opEstimate(kernel: Kernel, fit: LatencyFit, on: { profile: DeviceProfile; overhead: number }): OpEstimate {
  const { profile, overhead } = on;
  const peak = profile.peakOps[kernel.precision];
  // A precision the device lacks runs as f32.
  const opsPerSecond = peak === undefined ? profile.peakOps.f32 * fit.f32 : peak * fit[kernel.precision];
  const computeMs = ((2 * kernel.macs) / opsPerSecond) * 1e3;
  const memoryMs = profile.memoryBandwidth ? (kernel.bytes / (profile.memoryBandwidth * fit.memory)) * 1e3 : 0;
  const launchMs = (fit.launchUs / 1e3) * overhead;
  const main = kernel.nodes[0];
  return {
    name: main?.name || main?.outputs[0]?.name || "",
    opType: kernel.nodes.map((node) => node.opType).join(" + "),
    nodes: kernel.nodes.map((node) => node.name),
    precision: kernel.precision,
    ms: Math.max(computeMs, memoryMs) + launchMs,
    bound: launchMs > Math.max(computeMs, memoryMs) ? "launch" : computeMs > memoryMs ? "compute" : "memory",
  };
}

/** The precision of most multiply-accumulates. */
function mainPrecision(kernels: readonly Kernel[], fit: LatencyFit): Precision {
  const macs = new Map<Precision, number>();
  for (const kernel of kernels) macs.set(kernel.precision, (macs.get(kernel.precision) ?? 0) + kernel.macs);
  const [first] = [...macs].sort((a, b) => b[1] - a[1]);
  return first?.[0] ?? fit.precisions[0] ?? "f32";
}

export interface MemoryEstimate {
  readonly weightBytes: number;
  /** Absent where a size is unknown. */
  readonly peakActivationBytes?: number;
  /** Weights and the most activations alive at once; the runtime's own memory is not in it. */
  readonly totalBytes?: number;
  /** Absent where the device's memory or the total is unknown. */
  readonly fits?: boolean;
}

export function estimateMemory(cost: ModelCost, profile: DeviceProfile): MemoryEstimate {
  const { weightBytes, peakActivationBytes } = cost;
  if (peakActivationBytes === undefined) return { weightBytes };
  const totalBytes = weightBytes + peakActivationBytes;
  const fits = profile.memoryBytes === undefined ? undefined : totalBytes <= profile.memoryBytes;
  return { weightBytes, peakActivationBytes, totalBytes, ...(fits !== undefined && { fits }) };
}
