/**
 * Scenes of 416 px with JPEG, images a second: one thread, then one for each core, as load-images draws them. The first
 * hundred are told apart: a new thread draws slowly until its code is compiled. Memory is the process's, all threads
 * included, at the half and at the end: flat, or it would grow with the number.
 */
import { drawScenes } from "../nodes/load-scene/scene/drawScenes.ts";
import { streamOf } from "../nodes/streams.ts";

const PICTURES = 500;
const START = 100;
const FIRST = 500_000;
const SIDE = 416;

export async function run(): Promise<void> {
  // This file is bundled to dist/bench/.
  const program = new URL("../drawThread.js", import.meta.url);
  const heads = [`first ${START}`, "then", "CPU ms each", "MB at half", "MB at end"];
  print(`${PICTURES} pictures of ${SIDE} x ${SIDE}, 1/s`, heads);
  print("one thread", await draw(new URL("none.js", program)));
  print("a thread for each core", await draw(program));
}

async function draw(program: URL): Promise<string[]> {
  const jobs = Array.from({ length: PICTURES }, (_, i) => ({ scene: { seed: FIRST + i, width: SIDE, height: SIDE } }));
  const { signal } = new AbortController();
  let mark = performance.now();
  let cpu = process.cpuUsage();
  const figures: string[] = [];
  let half = 0;
  let done = 0;
  for await (const _ of drawScenes(streamOf(jobs), { signal, program })) {
    if (++done === PICTURES / 2) half = residentMb();
    if (done !== START) continue;
    figures.push(rate(START, mark));
    mark = performance.now();
    cpu = process.cpuUsage();
  }
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000 / (PICTURES - START);
  return [...figures, rate(PICTURES - START, mark), cpuMs.toFixed(1), half.toFixed(0), residentMb().toFixed(0)];
}

function rate(count: number, since: number): string {
  return ((count * 1000) / (performance.now() - since)).toFixed(1);
}

function residentMb(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

function print(name: string, figures: readonly string[]): void {
  console.log(name.padEnd(34) + figures.map((text) => text.padStart(13)).join(""));
}
