/**
 * How long inferences of several models take, side by side on a machine that does other things too: CPU time, one thread,
 * one model after the other in each round, so that what slows the machine down slows them all. A model's time is the
 * first's times the median of their ratios.
 */
import type { EvaluationSession, Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";

export interface Stopwatch {
  readonly evaluator: Evaluator;
  /** CPU time of this process so far, milliseconds. */
  readonly cpuMs: () => number;
  readonly signal?: AbortSignal;
}

export interface TimingOptions {
  readonly feeds: HostTensors;
  /** For all together, about. */
  readonly budgetMs: number;
}

/** Where a session's memory comes to lie moves its times by a few percent: each model is opened this often. */
const OPENINGS = 3;
const FEWEST_ROUNDS = 4;
const MOST_ROUNDS = 24;

/** Milliseconds an inference, in the order of the models. */
export async function timeSideBySide(
  models: readonly Model[],
  { feeds, budgetMs }: TimingOptions,
  watch: Stopwatch,
): Promise<readonly number[]> {
  const first: number[] = [];
  const ratios: number[][] = models.map(() => []);
  for (let opening = 0; opening < OPENINGS; opening++) {
    const sessions: EvaluationSession[] = [];
    try {
      for (const model of models) sessions.push(await watch.evaluator.open(model, { threads: 1 }));
      const once = await timeRound(sessions, feeds, watch);
      const rounds = Math.floor(budgetMs / OPENINGS / Math.max(1, 3 * sum(once)));
      for (let i = 0; i < Math.min(MOST_ROUNDS, Math.max(FEWEST_ROUNDS, rounds)); i++) {
        const times = await timeRound(sessions, feeds, watch);
        const [base = 0] = times;
        first.push(base);
        for (const [m, ms] of times.entries()) ratios[m]?.push(ms / base);
      }
    } finally {
      for (const session of sessions) await session[Symbol.asyncDispose]();
    }
  }
  const base = median(first);
  return ratios.map((all) => base * median(all));
}

/** Each session once untimed, to have its memory at hand, then twice. */
async function timeRound(sessions: readonly EvaluationSession[], feeds: HostTensors, watch: Stopwatch) {
  const times: number[] = [];
  for (const session of sessions) {
    watch.signal?.throwIfAborted();
    await session.run(feeds);
    const before = watch.cpuMs();
    await session.run(feeds);
    await session.run(feeds);
    times.push((watch.cpuMs() - before) / 2);
  }
  return times;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, x) => total + x, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
