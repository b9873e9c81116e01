/**
 * A calibration that can be ended at any image: it notes how far it came every few seconds, and the next run of the same
 * step takes up the note and lets the images pass that are in it. What comes out is the same to the last digit.
 */
import { z } from "zod";
import type { Calibrator } from "../../onnx/passes/calibrate/calibrate.ts";
import type { RunContext } from "../context.ts";

/** What is lost at most, against a few hundredths of a second for each note. */
const NOTE_EVERY_MS = 5000;

const numbers = z.array(z.number());
const statistics = z.object({
  images: z.number(),
  min: z.number(),
  max: z.number(),
  sumOfMin: z.number(),
  sumOfMax: z.number(),
  settledAfter: z.number(),
  widest: z.object({ image: z.number(), bound: z.number(), name: z.string().optional() }),
  runnerUp: z.number(),
  histogram: z.object({ bins: z.int(), width: z.number(), first: z.int(), from: z.int(), counts: numbers }),
  channels: z.object({ perChannel: z.number(), sum: numbers, sumOfSquares: numbers, min: numbers, max: numbers }),
});
const note = z.object({
  version: z.literal(1),
  images: z.int().positive(),
  tensors: z.record(z.string(), statistics),
});

export class Resumable {
  #notedAt = performance.now();

  constructor(
    private readonly ctx: Pick<RunContext, "checkpoint" | "log">,
    private readonly calibrator: Calibrator,
  ) {}

  /** Number of images that an earlier run has seen; they need not be observed again. */
  async takeUp(): Promise<number> {
    const bytes = await this.ctx.checkpoint.read();
    if (!bytes) return 0;
    const parsed = note.safeParse(parseJson(bytes));
    // What another version wrote is of no use to this one.
    if (!parsed.success) return 0;
    this.calibrator.restore(parsed.data);
    this.ctx.log(`goes on after ${parsed.data.images} images, where an earlier run was ended`);
    return parsed.data.images;
  }

  /** After each image. */
  async noteNow(): Promise<void> {
    if (performance.now() - this.#notedAt < NOTE_EVERY_MS) return;
    await this.ctx.checkpoint.write(noteOf(this.calibrator));
    this.#notedAt = performance.now();
  }
}

/** Written a tensor at a time: the garbage of one text of megabytes stays long, and is most of what memory grows by. */
function noteOf(calibrator: Calibrator): Uint8Array {
  const encoder = new TextEncoder();
  const parts = [encoder.encode(`{"version":1,"images":${calibrator.images},"tensors":{`)];
  for (const [name, state] of calibrator.states()) {
    const comma = parts.length > 1 ? "," : "";
    parts.push(encoder.encode(`${comma}${JSON.stringify(name)}:${JSON.stringify(state)}`));
  }
  return Buffer.concat([...parts, encoder.encode("}}")]);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
