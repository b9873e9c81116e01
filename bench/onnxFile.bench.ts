/**
 * Opens and saves an ONNX file of 350 MB made on the fly: time, and peak memory above that of the bare process. Python's
 * onnx package does the same beside it, interleaved, where a Python with it is found (`PYTHON` or python3).
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Graph, Model } from "../onnx/ir/graph.ts";
import { type ByteSource, Tensor } from "../onnx/ir/tensor.ts";
import { readModel, writeModel } from "../onnx/serde.ts";

const LAYERS = 350;
const ROUNDS = 3;
/** 500 x 500 weights of 4 bytes: 1 MB a layer. */
const SIDE = 500;

interface Figures {
  readonly openMs: number;
  readonly saveMs: number;
  readonly openPeakBytes: number;
  readonly peakBytes: number;
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "edgewright-bench-"));
  try {
    const path = join(folder, "large.onnx");
    // In a process of its own: a child's peak memory starts at what its parent's was.
    call("makeFile", path);
    const python = findPython();
    const ours: Figures[] = [];
    const theirs: Figures[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(measureOurs(path, join(folder, "ours.onnx")));
      if (python) theirs.push(measurePython(python, path, join(folder, "theirs.onnx")));
    }
    const same = (await sha256(path)) === (await sha256(join(folder, "ours.onnx")));
    console.log(
      `${((await stat(path)).size / 1e6).toFixed(0)} MB, ${2 * LAYERS} nodes, best of ${ROUNDS}; memory above a bare process`,
    );
    console.log(
      `${"".padEnd(14)}${["open", "save", "peak, open", "peak, in all"].map((head) => head.padStart(14)).join("")}`,
    );
    print("edgewright", ours);
    if (theirs.length > 0) print("Python onnx", theirs);
    else console.log("Python onnx   not found: set PYTHON to an interpreter that has the onnx package");
    console.log(
      same ? "The saved file is the opened one, byte for byte." : "THE SAVED FILE DIFFERS FROM THE OPENED ONE.",
    );
    if (!same) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function makeFile(path: string): Promise<void> {
  await save(largeModel(), path);
}

/** What the child of `measureOurs` does. */
export async function openAndSave(from: string, to: string): Promise<void> {
  const bare = process.memoryUsage.rss();
  const { source, close } = await fileSource(from);
  const started = performance.now();
  const model = await readModel(source);
  const opened = performance.now();
  const openPeakBytes = peakRss() - bare;
  await save(model, to);
  const saved = performance.now();
  await close();
  const figures: Figures = {
    openMs: opened - started,
    saveMs: saved - opened,
    openPeakBytes,
    peakBytes: peakRss() - bare,
  };
  console.log(JSON.stringify(figures));
}

/** `maxRSS` is in kilobytes. */
function peakRss(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function largeModel(): Model {
  const graph = new Graph("large");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  let value = graph.addInput("x", { elemType: 1, shape: ["batch", SIDE] });
  for (let layer = 0; layer < LAYERS; layer++) {
    const weights = Float32Array.from(
      { length: SIDE * SIDE },
      (_, i) => ((i * 2654435761 + layer) % 1000) / 1000 - 0.5,
    );
    const weight = graph.addInitializer(`layer${layer}.weight`, Tensor.f32([SIDE, SIDE], weights));
    const product = graph.addNode({ opType: "MatMul", inputs: [value, weight], outputs: [`layer${layer}.product`] });
    value = graph.addNode({ opType: "Relu", inputs: [product.output()], outputs: [`layer${layer}`] }).output();
  }
  value.type = { elemType: 1, shape: ["batch", SIDE] };
  graph.addOutput(value);
  return model;
}

async function save(model: Model, path: string): Promise<void> {
  const file = await open(path, "w");
  try {
    for await (const chunk of writeModel(model)) await file.write(chunk);
  } finally {
    await file.close();
  }
}

async function fileSource(path: string): Promise<{ source: ByteSource; close: () => Promise<void> }> {
  const file = await open(path);
  const { size } = await file.stat();
  const read = async (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    if (bytesRead !== length) throw new RangeError("read past the end of the file");
    return bytes;
  };
  return { source: { size, read }, close: () => file.close() };
}

/** Calls a function of this file in a fresh process and gives what it printed. */
function call(name: "makeFile" | "openAndSave", ...args: readonly string[]): string {
  const script = `await (await import(${JSON.stringify(import.meta.url)})).${name}(...process.argv.slice(1));`;
  return printed(spawnSync(process.execPath, ["--input-type=module", "-e", script, ...args], { encoding: "utf8" }));
}

function measureOurs(from: string, to: string): Figures {
  return JSON.parse(call("openAndSave", from, to));
}

const PYTHON_SCRIPT = `
import json, resource, sys, time, onnx
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
bare = peak()
started = time.perf_counter()
model = onnx.load(sys.argv[1])
opened = time.perf_counter()
open_peak = peak() - bare
onnx.save(model, sys.argv[2])
saved = time.perf_counter()
print(json.dumps({"openMs": (opened - started) * 1e3, "saveMs": (saved - opened) * 1e3, "openPeakBytes": open_peak, "peakBytes": peak() - bare}))
`;

function findPython(): string | undefined {
  const candidates = [process.env.PYTHON, "python3"].filter((name) => name !== undefined);
  return candidates.find((name) => spawnSync(name, ["-c", "import onnx"]).status === 0);
}

function measurePython(python: string, from: string, to: string): Figures {
  return JSON.parse(printed(spawnSync(python, ["-c", PYTHON_SCRIPT, from, to], { encoding: "utf8" })));
}

function printed({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }): string {
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function print(name: string, figures: readonly Figures[]): void {
  const best = (key: keyof Figures) => Math.min(...figures.map((figure) => figure[key]));
  const ms = (key: keyof Figures) => `${best(key).toFixed(0)} ms`.padStart(14);
  const megabytes = (key: keyof Figures) => `${(best(key) / 1e6).toFixed(0)} MB`.padStart(14);
  console.log(`${name.padEnd(14)}${ms("openMs")}${ms("saveMs")}${megabytes("openPeakBytes")}${megabytes("peakBytes")}`);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
