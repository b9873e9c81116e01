/** INT8 of a detector: ours by plain `quantize` and by `autotune`, beside each tool's best settings. */
import { join } from "node:path";
import { type PipelineRun, runPipeline } from "../edgewright.ts";
import { pictures, writeFeeds } from "../feeds.ts";
import { judgeAccuracy, judgeSpeed, judgeSqnr } from "../judge.ts";
import type { Peers } from "../peers.ts";
import type { VariantResult } from "../result.ts";
import { type Bench, type Made, makeAll, processFigures, type Row, type Variant } from "../row.ts";
import {
  CALIBRATION_IMAGES,
  calibrationImages,
  evaluationImages,
  HELD_BACK_IMAGES,
  pictureInput,
  type Subject,
  settingsOf,
} from "../subjects.ts";

export interface Int8Row {
  readonly id: string;
  readonly subject: Subject;
  readonly layout: "onnxruntime-x86" | "tensorrt";
  readonly bar?: string;
  readonly bestPeer?: string;
}

export function int8Row({ id, subject, layout, bar, bestPeer }: Int8Row): Row {
  return {
    id,
    title: `${subject.title}, INT8, ${layout === "tensorrt" ? "signed symmetric for TensorRT" : "ONNX Runtime x86"}`,
    ...(bar && { bar }),
    ...(bestPeer && { bestPeer }),
    async run(bench) {
      const { calibration, held } = await writePictures(bench, subject);
      const made = await makeAll(bench, id, [
        ...ours(await ourSettings(subject), layout),
        ...(bench.peers ? theirs(bench.peers, { model: subject.path, feeds: calibration, layout }) : []),
      ]);
      return judgeAll(bench, { subject, made, held, timed: layout !== "tensorrt" });
    },
  };
}

export async function writePictures(bench: Bench, subject: Subject) {
  const { input, settings } = await pictureInput(subject);
  const folders = {
    calibration: join(bench.folder, subject.id, "calibration"),
    held: join(bench.folder, subject.id, "held"),
  };
  await writeFeeds(folders.calibration, pictures(calibrationImages(), { input, settings, limit: 64 }));
  await writeFeeds(folders.held, pictures(evaluationImages(), { input, settings, limit: HELD_BACK_IMAGES }));
  return folders;
}

/** The model and its calibration images, as `--set` of any of the pipelines. */
export async function ourSettings(subject: Subject, images = CALIBRATION_IMAGES): Promise<Record<string, unknown>> {
  const { settings } = await pictureInput(subject);
  return {
    "model.source": subject.path,
    "calibration-images.source": calibrationImages(),
    "calibration-images.limit": images,
    ...settingsOf("preprocess", settings),
  };
}

export function ours(set: Readonly<Record<string, unknown>>, layout: string): readonly Variant[] {
  const variant = (name: string, run: PipelineRun): Variant => ({
    name,
    tool: "edgewright",
    make: (out) => runPipeline(run, out),
  });
  const plain = variant("quantize", {
    pipeline: "person-detection",
    node: "quantize",
    // The pictures that the pipeline would be tried on later are no part of the job.
    set: { ...set, "images.source": calibrationImages(), "images.limit": 1, "quantize.layout": layout },
  });
  // The search times what it places, on this machine, and this machine's runtime is onnxruntime.
  if (layout === "tensorrt") return [plain];
  const search = variant("autotune", {
    pipeline: "autotune",
    node: "autotune",
    set: { ...set, "autotune.layout": layout },
  });
  return [plain, { ...search, once: true }];
}

interface PeerJob {
  readonly model: string;
  readonly feeds: string;
  readonly layout: string;
}

const STATIC: readonly (readonly [name: string, tool: string, script: string, method: string, slow?: boolean])[] = [
  ["ORT min-max", "onnxruntime", "ort_static.py", "minmax"],
  ["ORT percentile", "onnxruntime", "ort_static.py", "percentile"],
  ["NNCF mixed", "nncf", "nncf_static.py", "mixed"],
  ["Quark u8s8", "amd-quark", "quark_static.py", "plain"],
  ["Quark AdaRound", "amd-quark", "quark_static.py", "adaround", true],
  ["AIMET tf_enhanced", "aimet-onnx", "aimet_static.py", "tf_enhanced"],
  ["ModelOpt entropy", "nvidia-modelopt", "modelopt_static.py", "entropy"],
];
/** Those whose models TensorRT takes: signed, or with Q/DQ that its rules read. */
const SIGNED = ["NNCF mixed", "ModelOpt entropy"];

export function theirs(peers: Peers, { model, feeds, layout }: PeerJob): readonly Variant[] {
  return STATIC.filter(([name]) => layout !== "tensorrt" || SIGNED.includes(name)).map(
    ([name, tool, script, method, slow]) => ({
      name,
      tool,
      ...(slow && { slow, once: true }),
      make: (out) => peers.run(script, [model, feeds, out, method, CALIBRATION_IMAGES]),
    }),
  );
}

export interface Judged {
  readonly subject: Subject;
  readonly made: readonly Made[];
  readonly held: string;
  readonly timed: boolean;
}

export async function judgeAll(
  { peers, say }: Bench,
  { subject, made, held, timed }: Judged,
): Promise<readonly VariantResult[]> {
  const input = { original: subject.path, feeds: held, made };
  const sqnr = peers ? await judgeSqnr(peers, input, HELD_BACK_IMAGES) : { values: {}, failed: {} };
  const one = peers && timed ? await judgeSpeed(peers, input, 1) : {};
  const two = peers && timed ? await judgeSpeed(peers, input, 2) : {};
  const original = await judgeAccuracy(subject, subject.path);
  const results: VariantResult[] = [{ name: "FP32", tool: "none", sizeShare: 1, ...original }];
  for (const entry of made) {
    const figures = processFigures(entry, subject.path);
    const failed = entry.failed ?? sqnr.failed[entry.path];
    if (failed !== undefined) {
      results.push({ ...figures, failed });
      continue;
    }
    const speed = { 1: one[entry.path], 2: two[entry.path] };
    const accuracy = await judgeAccuracy(subject, entry.path).catch((error: Error) => {
      say(`  ${entry.variant.name} is not scored: ${error.message}`);
      return {};
    });
    const decibels = sqnr.values[entry.path];
    results.push({
      ...figures,
      ...(decibels && { sqnrDb: decibels }),
      ...(speed[1] !== undefined && speed[2] !== undefined && { speed: { 1: speed[1], 2: speed[2] } }),
      ...accuracy,
    });
  }
  return results;
}
