/** What is NaN can be neither ranked nor refitted to: the original's outputs are looked at before anything is taken out. */
import type { Model } from "../../onnx/ir/graph.ts";
import { NON_FINITE_FIX, nonFiniteName } from "../../onnx/passes/nonFinite.ts";
import { type RunContext, UserError } from "../context.ts";
import type { FitItems } from "./items.ts";

/** Items that are looked at. */
const LOOKED_AT = 4;

/** Throws `not-finite` with the output's name. */
export async function requireFinite(original: Model, { fit, heldBack }: FitItems, ctx: RunContext): Promise<void> {
  const items = [...fit, ...heldBack].slice(0, LOOKED_AT);
  if (items.length === 0) return;
  await using session = await ctx.evaluator.open(original);
  for (const item of items) {
    ctx.signal.throwIfAborted();
    const broken = nonFiniteName(await session.run(item));
    if (broken === undefined) continue;
    throw new UserError("not-finite", `the model's output "${broken}" holds a NaN or an infinity`, NON_FINITE_FIX);
  }
}
