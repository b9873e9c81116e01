import type { RunContext, Session } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef, Stream, TensorItem } from "../ports.ts";
import { feedsFor, withTotal } from "../streams.ts";
import { outputPicture } from "./outputPicture.ts";
import { infer } from "./schema.ts";

const PREVIEWS = 2;

export const run = implementNode(infer, async (ctx, { model, tensors }, { threads }) => ({
  tensors: withTotal(outputs(ctx, { model, tensors, threads }), tensors.total),
}));

interface Inference {
  readonly model: ArtifactRef<"model" | "engine">;
  readonly tensors: Stream<TensorItem>;
  readonly threads: number;
}

async function* outputs(ctx: RunContext, { model, tensors, threads }: Inference): AsyncGenerator<TensorItem> {
  let session: Session | undefined;
  let done = 0;
  try {
    for await (const item of tensors) {
      ctx.signal.throwIfAborted();
      // Opened when the first frame is there: a run that only wants other ports' artifacts loads no model.
      session ??= await open(ctx, model, threads);
      const result = await session.run(feedsFor(item, session.inputs));
      if (done < PREVIEWS) await ctx.preview(await outputPicture(result), "image/png");
      ctx.progress(++done, tensors.total, "frames");
      yield { ...item, tensors: result };
    }
  } finally {
    await session?.[Symbol.asyncDispose]();
  }
}

async function open(ctx: RunContext, model: ArtifactRef<"model" | "engine">, threads: number): Promise<Session> {
  const session = await ctx.runner.open(model, { threads });
  const shapes = session.outputs.map(({ name, dims }) => `${name} [${dims.map((d) => (d < 0 ? "?" : d)).join(",")}]`);
  const where = ctx.target.access === "predicted" ? `${ctx.target.name} is not at hand, so this machine runs it: ` : "";
  ctx.log(`${where}${ctx.runner.runtime}, outputs ${shapes.join(", ")}`);
  return session;
}
