/** One figure that tells a step's result, the same whether it ran or came from the cache: from what is stored, never from progress. */
import { z } from "zod";
import type { StepState } from "../../pipelines/document/reduceRun.ts";
import { bytes, figureText, fraction, milliseconds } from "./format.ts";

type Json = Readonly<Record<string, unknown>>;

/** By kind of report: several node types write a kind, and a new type that writes a known one needs nothing here. */
const BY_REPORT: Readonly<Record<string, (report: Json) => string | undefined>> = {
  profile: (r) => figureText(r.p50Ms, (ms) => `p50 ${milliseconds(ms)} ms`),
  compare: (r) => comparison(r.rows),
  evaluate: (r) =>
    figureText(r.mAP50, (v) => `mAP50 ${fraction(v)}`) ?? figureText(r.top1, (v) => `top-1 ${fraction(v)}`),
};

/** `images`: how many it gave or, where it gave none, worked on. A step that did not finish has nothing to tell. */
export function headlineOf(step: StepState, report: Json | undefined, images: number | undefined): string {
  const { progress, state } = step;
  if (state === "running" && progress) {
    return progress.total ? `${progress.done} / ${progress.total}` : `${progress.done} ${progress.unit ?? ""}`.trim();
  }
  if (state !== "done" && state !== "hit") return "";
  const told = report && BY_REPORT[String(report.kind)]?.(report);
  if (told) return told;
  const sized = Object.values(step.outputs).find((o) => (o.kind === "model" || o.kind === "engine") && o.size);
  if (sized?.size) return bytes(sized.size);
  return images === undefined ? "" : `${images} images`;
}

const rows = z.array(z.looseObject({ metric: z.string(), best: z.string().optional(), ratio: z.number().optional() }));

function comparison(value: unknown): string | undefined {
  const parsed = rows.safeParse(value);
  if (!parsed.success) return undefined;
  const ratio = parsed.data.find(({ metric }) => metric === "profile.p50Ms")?.ratio;
  if (ratio) return ratio < 1 ? `${(1 / ratio).toFixed(2)}× faster` : `${ratio.toFixed(2)}× slower`;
  const better = parsed.data.filter((row) => row.best === "candidate").length;
  return `${better} of ${parsed.data.length} better`;
}
