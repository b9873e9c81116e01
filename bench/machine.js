/** The machine in a line, for the head of every table of figures. */
import { cpus, loadavg, totalmem } from "node:os";

export function machineLine() {
  const [cpu] = cpus();
  const load = loadavg()[0]?.toFixed(2);
  return (
    `${cpu?.model ?? "unknown CPU"}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ` +
    `${process.platform} ${process.arch}, Node ${process.version}, load ${load}, ${new Date().toISOString()}`
  );
}
