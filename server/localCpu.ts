/** This machine as a target: what it says of itself. Stable from run to run, since it enters cache keys. */
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, totalmem } from "node:os";
import type { DeviceProfile } from "../targets/deviceProfile.ts";

/** Where a processor's name does not tell its clock. */
const USUAL_HZ = 2.5e9;

export function localCpu(): DeviceProfile {
  const model = cpus()[0]?.model.trim() || arch();
  const cores = availableParallelism();
  const flags = cpuFlags();
  const hz = Number(/@ ([\d.]+)GHz/.exec(model)?.[1]) * 1e9 || USUAL_HZ;
  // f32 operations a cycle and core: two fused multiply-add units of 16, 8 or 4 lanes.
  const f32 = flags.has("avx512f") ? 64 : flags.has("avx2") ? 32 : 16;
  const i8 = flags.has("avx512_vnni") || flags.has("avx_vnni") ? f32 * 4 : f32 * 2;
  return {
    id: "local-cpu",
    name: `This machine (${model}, ${cores} cores)`,
    access: "local",
    runtime: "onnxruntime",
    peakOps: { f32: f32 * hz * cores, i8: i8 * hz * cores },
    memoryBytes: totalmem(),
    cores,
    // Of 16, the lanes of AVX-512, convolutional networks gained no more time than of 8.
    channelMultiple: 8,
    source: "the operating system; peaks from the processor's instruction set",
  };
}

function cpuFlags(): ReadonlySet<string> {
  try {
    const line = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return new Set(line.trim().split(/\s+/));
  } catch {
    return new Set();
  }
}
