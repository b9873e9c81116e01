/**
 * What surrounds the network, per frame on one thread: a 1080p picture to a 640 px network's input, and the outputs of
 * a YOLOv8 to boxes. OpenCV and NumPy do the same beside it, round by round, where a Python with them is found
 * (`PYTHON` or python3); both sides read the same bytes and must find the same number of boxes.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDetector } from "../nodes/nms/detect.ts";
import { nms } from "../nodes/nms/schema.ts";
import { createPreprocessor } from "../nodes/preprocess/pictureToTensor.ts";
import { preprocessParams } from "../nodes/preprocess/schema.ts";
import { DataType } from "../onnx/ir/dataType.ts";
import { loopPeer } from "./loopPeer.ts";

const ROUNDS = 3;
const REPEATS = 60;
const ANCHORS = 8400;
const CLASSES = 80;

type Times = Readonly<Record<string, number>>;
interface Result {
  readonly ms: Times;
  readonly boxes: Times;
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "edgewright-bench-"));
  try {
    const rgb = noisePicture(1920, 1080);
    const output = crowdedOutput();
    await writeFile(join(folder, "rgb.bin"), rgb);
    await writeFile(join(folder, "output.bin"), new Uint8Array(output.buffer));
    const python = findPython();
    const ours: Result[] = [];
    const theirs: Result[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(measure(rgb, output));
      if (python) theirs.push(JSON.parse(loopPeer(python, folder, REPEATS)));
    }
    print(ours, theirs);
    if (!python) console.log("OpenCV and NumPy not found: set PYTHON to an interpreter that has them");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function measure(rgb: Uint8Array, data: Float32Array): Result {
  const picture = { width: 1920, height: 1080, rgb };
  const letterbox = createPreprocessor(preprocessParams.parse({ width: 640, height: 640 }));
  const into = new Float32Array(3 * 640 * 640);
  const area = createPreprocessor(
    preprocessParams.parse({ width: 352, height: 352, mode: "stretch", interpolation: "area", colorOrder: "BGR" }),
  );
  const small = new Float32Array(3 * 352 * 352);
  const { transform } = letterbox(picture, into);
  const frame = { id: "frame", index: 0, width: 1920, height: 1080 };
  const tensors = { output: { dataType: DataType.FLOAT, dims: [1, 4 + CLASSES, ANCHORS], data } };
  const item = { frame, transform, tensors };
  const detect = (scoreThreshold: number) => {
    const params = { decoder: "yolov8", scoreThreshold, classesPerBox: "best" } as const;
    return createDetector(nms.params.parse(params));
  };
  const sure = detect(0.25);
  const all = detect(0.001);
  return {
    ms: {
      "letterbox 640": median(() => letterbox(picture, into)),
      "area 352": median(() => area(picture, small)),
      "NMS at .25": median(() => sure(item)),
      "NMS at .001": median(() => all(item)),
    },
    boxes: { "NMS at .25": sure(item).detections.length, "NMS at .001": all(item).detections.length },
  };
}

function median(work: () => unknown): number {
  const times = Array.from({ length: REPEATS }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[REPEATS / 2] ?? Number.NaN;
}

function print(ours: readonly Result[], theirs: readonly Result[]): void {
  const best = (results: readonly Result[], name: string) =>
    Math.min(...results.map(({ ms }) => ms[name] ?? Number.NaN));
  console.log(
    `median of ${REPEATS}, the best of ${ROUNDS} rounds, ms`.padEnd(46) +
      "edgewright".padStart(12) +
      "cv2 + numpy".padStart(12),
  );
  for (const name of Object.keys(ours[0]?.ms ?? {})) {
    const peer = theirs.length > 0 ? best(theirs, name).toFixed(2) : "–";
    const [found, peerFound] = [ours[0]?.boxes[name], theirs[0]?.boxes[name]];
    const boxes = found === undefined ? "" : ` (${found}${peerFound === undefined ? "" : ` and ${peerFound}`} boxes)`;
    console.log(`${name}${boxes}`.padEnd(46) + best(ours, name).toFixed(2).padStart(12) + peer.padStart(12));
  }
}

/** Numerical Recipes' generator: the same numbers each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function noisePicture(width: number, height: number): Uint8Array {
  const next = random(1);
  return Uint8Array.from({ length: width * height * 3 }, () => next() * 256);
}

/** 3,395 candidates above .001, 750 of them above .25, around 60 objects: as many as a crowded street gives. */
function crowdedOutput(): Float32Array {
  const next = random(2);
  const data = new Float32Array((4 + CLASSES) * ANCHORS);
  const objects = Array.from({ length: 60 }, () => ({
    box: [60 + next() * 520, 160 + next() * 320, 20 + next() * 120, 20 + next() * 120],
    classId: Math.floor(next() * 8),
  }));
  for (let a = 0; a < ANCHORS; a++) {
    const { box, classId } = objects[a % objects.length] ?? { box: [], classId: 0 };
    for (const [k, value] of box.entries()) data[k * ANCHORS + a] = value * (0.95 + 0.1 * next());
    const score = a < 750 ? 0.25 + 0.7 * next() : a < 3395 ? 0.001 + 0.24 * next() : 0.0009 * next();
    for (let c = 0; c < CLASSES; c++) data[(4 + c) * ANCHORS + a] = score * 0.3 * next();
    data[(4 + classId) * ANCHORS + a] = score;
  }
  return data;
}

function findPython(): string | undefined {
  const candidates = [process.env.PYTHON, "python3"].filter((name) => name !== undefined);
  return candidates.find((name) => spawnSync(name, ["-c", "import cv2, numpy"]).status === 0);
}
