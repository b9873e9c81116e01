/** Judges the models that a row made: SQNR, cosine and speed in Python's onnxruntime (../peers/judge.py), mAP by our own nodes. */
import { runPipeline } from "./edgewright.ts";
import type { Peers } from "./peers.ts";
import type { Made } from "./row.ts";
import { evaluationImages, evaluationLabels, pictureInput, type Subject, settingsOf } from "./subjects.ts";

const LATENCY_ROUNDS = 60;

export interface Cosine {
  readonly mean: number;
  readonly min: number;
  readonly spearman: number;
}

/** Figures by path, and why the runtime does not open a model that has none. */
export interface Judgement<T> {
  readonly values: Readonly<Record<string, T>>;
  readonly failed: Readonly<Record<string, string>>;
}

export interface JudgeInput {
  readonly original: string;
  readonly feeds: string;
  readonly made: readonly Made[];
}

const pathsOf = ({ original, made }: JudgeInput) => [
  original,
  ...made.filter(({ failed }) => failed === undefined).map(({ path }) => path),
];

/** dB by output, of the first `limit` items. */
export async function judgeSqnr(
  peers: Peers,
  input: JudgeInput,
  limit: number,
): Promise<Judgement<Readonly<Record<string, number | null>>>> {
  return parsed(await peers.run("judge.py", ["sqnr", input.feeds, limit, ...pathsOf(input)]));
}

export async function judgeCosine(peers: Peers, input: JudgeInput, limit: number): Promise<Judgement<Cosine>> {
  return parsed(await peers.run("judge.py", ["cosine", input.feeds, limit, ...pathsOf(input)]));
}

/** FP32 time / own time by path, at a number of threads: CPU time at one, wall-clock time at more. */
export async function judgeSpeed(
  peers: Peers,
  input: JudgeInput,
  threads: number,
): Promise<Readonly<Record<string, number>>> {
  const ended = await peers.run("judge.py", ["latency", input.feeds, threads, LATENCY_ROUNDS, ...pathsOf(input)]);
  const { values }: Judgement<number> = parsed(ended);
  const fp32 = values[input.original] ?? Number.NaN;
  return Object.fromEntries(Object.entries(values).map(([path, own]) => [path, fp32 / own]));
}

function parsed<T>({ stdout }: { readonly stdout: string }): T {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

export interface Accuracy {
  readonly mAP?: number;
  readonly mAP50?: number;
  readonly personAP50?: number;
}

/** A detector on all evaluation images, through the same nodes whoever made the model. */
export async function judgeAccuracy(subject: Subject, model: string): Promise<Accuracy> {
  if (!subject.nms) return {};
  const { settings } = await pictureInput(subject);
  const { reports } = await runPipeline({
    pipeline: "person-detection",
    node: "evaluate-fp32",
    set: {
      "model.source": model,
      "images.source": evaluationImages(),
      "images.labels": evaluationLabels(),
      "images.limit": 0,
      ...settingsOf("preprocess", settings),
      ...settingsOf("nms-fp32", subject.nms),
    },
  });
  const report: unknown = reports["evaluate-fp32.report"];
  // A detector of one class is scored by it; the labels have 80.
  const { personAP50, ...all } = accuracyOf(report);
  return { ...(subject.nms.classes === undefined && all), ...(personAP50 !== undefined && { personAP50 }) };
}

function accuracyOf(report: unknown): Accuracy {
  const { mAP, mAP50, perClass }: { mAP?: number; mAP50?: number; perClass?: Record<string, { AP50: number }> } =
    Object.fromEntries(Object.entries(report ?? {}));
  const person = perClass?.person?.AP50;
  return {
    ...(mAP !== undefined && { mAP }),
    ...(mAP50 !== undefined && { mAP50 }),
    ...(person !== undefined && { personAP50: person }),
  };
}
