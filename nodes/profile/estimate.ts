import type { RunContext } from "../context.ts";
import { UserError } from "../context.ts";
import type { ArtifactRef } from "../ports.ts";
import type { Figures } from "./run.ts";

export async function estimate(ctx: RunContext, _model: ArtifactRef<"model" | "engine">): Promise<Figures> {
  throw new UserError("no-estimate", `no latency model for ${ctx.target.name} is there`, "Choose target local-cpu.");
}
