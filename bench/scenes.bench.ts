/**
 * Scenes of 416 px with JPEG, images a second: one thread, then one for each core, as load-images draws them. Memory is
 * the process's, all threads included, after the first and the second half: flat, or it would grow with the number.
 */
import { drawScenes } from "../nodes/load-scene/scene/drawScenes.ts";
import { streamOf } from "../nodes/streams.ts";

const PICTURES = 400;
/** Until the compiler has seen what it meets. */
const WARM_UP = 60;
const FIRST = 500_000;
const SIDE = 416;

export async function run(): Promise<void> {
  // This file is bundled to dist/bench/.
  const program = new URL("../drawThread.js", import.meta.url);
  const nowhere = new URL("none.js", program);
  await draw(nowhere, WARM_UP);
  console.log(
    `${PICTURES} pictures of ${SIDE} x ${SIDE}`.padEnd(28) +
      ["images/s", "CPU ms", "MB at half", "MB at end"].map(right).join(""),
  );
  for (const [name, by] of [
    ["one thread", nowhere],
    ["a thread for each core", program],
  ] as const) {
    const { perSecond, cpuMs, halfMb, endMb } = await draw(by, PICTURES);
    console.log(
      name.padEnd(28) +
        [perSecond.toFixed(1), cpuMs.toFixed(1), halfMb.toFixed(0), endMb.toFixed(0)].map(right).join(""),
    );
  }
}

async function draw(program: URL, count: number) {
  const jobs = Array.from({ length: count }, (_, i) => ({ scene: { seed: FIRST + i, width: SIDE, height: SIDE } }));
  const start = performance.now();
  const cpu = process.cpuUsage();
  let done = 0;
  let halfMb = 0;
  const { signal } = new AbortController();
  for await (const _ of drawScenes(streamOf(jobs), { signal, program }))
    if (++done === count / 2) halfMb = residentMb();
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: (count * 1000) / (performance.now() - start),
    cpuMs: (user + system) / 1000 / count,
    halfMb,
    endMb: residentMb(),
  };
}

function residentMb(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

function right(text: string): string {
  return text.padStart(12);
}
