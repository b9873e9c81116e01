/**
 * What may have shaped or disturbed a measurement on this machine. Read, never set: figures of a busy machine stay
 * figures, but the report says so. What the system does not tell is left out.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release } from "node:os";

export type Conditions = Readonly<Record<string, unknown>>;

/** Starts to watch; the returned function ends it and says what was seen in between. */
export function watchConditions(): () => Conditions {
  const before = machineTimes();
  const own = process.cpuUsage();
  const throttledBefore = throttleCount();
  return () => {
    const after = machineTimes();
    const { user, system } = process.cpuUsage(own);
    const ownMs = (user + system) / 1000;
    const totalMs = after.total - before.total;
    const others = after.busy - before.busy - ownMs;
    const throttled = throttleCount();
    return {
      cpu: cpus()[0]?.model.trim(),
      cores: availableParallelism(),
      system: `${process.platform} ${release()} ${process.arch}`,
      node: process.versions.node,
      loadAverage: round(loadavg()[0] ?? 0),
      // The kernel counts in hundredths of a second: too coarse for a short measurement.
      ...(totalMs >= 200 && { otherProcessesCpuShare: round(Math.min(1, Math.max(0, others / totalMs))) }),
      ...(before.steal !== undefined &&
        after.steal !== undefined &&
        totalMs >= 200 && { stolenCpuShare: round((after.steal - before.steal) / totalMs) }),
      governor: readText("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
      ...(throttled !== undefined &&
        throttledBefore !== undefined && { thermalThrottlings: throttled - throttledBefore }),
    };
  };
}

/** Lets the kernel forget the process's past high-water mark; false where it does not (not Linux, not permitted). */
export function resetPeakMemory(): boolean {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
    return true;
  } catch {
    return false;
  }
}

/** High-water mark of this process's resident memory, bytes. */
export function peakMemoryBytes(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readText("/proc/self/status") ?? "");
  return (line ? Number(line[1]) : process.resourceUsage().maxRSS) * 1024;
}

/** Milliseconds of all cores since boot; `steal` is what the hypervisor gave to others. */
function machineTimes(): { total: number; busy: number; steal?: number } {
  let total = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    total += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  const steal = /^cpu +(?:\d+ +){7}(\d+)/.exec(readText("/proc/stat") ?? "")?.[1];
  const busy = total - idle;
  if (steal === undefined) return { total, busy };
  return { total: total + Number(steal) * 10, busy, steal: Number(steal) * 10 };
}

function throttleCount(): number | undefined {
  const text = readText("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count");
  return text === undefined ? undefined : Number(text);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
