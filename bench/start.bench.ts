/**
 * How long a user waits: from `npm start` on a built clone to the first page, and for `edgewright run` with an empty and a
 * warm cache. The pipeline is FastestDet on 64 labelled images where EDGEWRIGHT_TEST_DATA names them, else the tests' own tiny detector.
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../server/projectRoot.ts";
import { testData } from "../test/support/data.ts";
import { writeTinyDetector } from "../test/support/tinyDetector.ts";

const bin = join(projectRoot, "server/cli/bin.js");
const ROUNDS = 5;

export async function run(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "edgewright-bench-"));
  try {
    cpSync(join(projectRoot, "pipelines"), join(root, "pipelines"), { recursive: true });
    await writeTinyDetector(root);
    const env = { ...process.env, EDGEWRIGHT_HOME: join(root, ".edgewright") };
    const starts: number[] = [];
    for (let i = 0; i < ROUNDS; i++) starts.push(await firstPage(root, env));
    report("start to first page", starts);
    const args = runArguments(root);
    const cold: number[] = [];
    const warm: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      rmSync(env.EDGEWRIGHT_HOME, { recursive: true, force: true });
      cold.push(timed(args, root, env));
      warm.push(timed(args, root, env));
    }
    report(`${args[1]}, empty cache`, cold);
    report(`${args[1]}, warm cache`, warm);
    report(
      "edgewright --help",
      Array.from({ length: ROUNDS }, () => timed(["--help"], root, env)),
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function runArguments(root: string): string[] {
  const set = testData
    ? {
        "model.source": join(testData, "models/fastestdet.onnx"),
        "images.source": join(testData, "coco/eval/images"),
        "images.labels": join(testData, "coco/eval/labels"),
        "calibration-images.source": join(testData, "coco/calibration"),
      }
    : {
        "model.source": join(root, "tiny.onnx"),
        "images.source": join(root, "images"),
        "images.labels": join(root, "labels"),
        "calibration-images.source": join(root, "images"),
        "preprocess.width": 64,
        "preprocess.height": 64,
      };
  const settings = Object.entries(set).flatMap(([path, value]) => ["--set", `${path}=${value}`]);
  return ["run", "pipelines/fastestdet.json", ...settings, "--json"];
}

/** Seconds of a whole process. */
function timed(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): number {
  const from = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd,
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`edgewright ${args[0]} ended with ${status}: ${stderr}`);
  return (performance.now() - from) / 1000;
}

async function firstPage(cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const from = performance.now();
  const server = spawn(process.execPath, [bin, "start", "--port", "0"], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    let said = "";
    for await (const chunk of server.stdout) {
      said += chunk;
      const url = /http:\/\/localhost:\d+/.exec(said)?.[0];
      if (!url) continue;
      const response = await fetch(url);
      await response.text();
      if (!response.ok) throw new Error(`the first page answered ${response.status}`);
      return (performance.now() - from) / 1000;
    }
    throw new Error(`the server ended before it was ready: ${said}`);
  } finally {
    server.kill();
    await new Promise((resolve) => server.once("exit", resolve));
  }
}

function report(what: string, seconds: readonly number[]): void {
  const sorted = [...seconds].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2);
  console.log(`${what.padEnd(48)} median ${at(0.5)} s   (${at(0)} to ${at(1)}, ${sorted.length} runs)`);
}
