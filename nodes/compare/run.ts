import type { RunContext } from "../context.ts";
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef } from "../ports.ts";
import { joinReports, type ReportJson } from "./join.ts";
import { compare } from "./schema.ts";

export const run = implementNode(compare, async (ctx, { baseline, candidate }) => {
  const reports = { baseline: await read(ctx, baseline), candidate: await read(ctx, candidate) };
  const { rows, warnings } = joinReports(reports.baseline, reports.candidate);
  if (rows.length === 0) {
    throw new UserError(
      "nothing-to-compare",
      "none of the wired reports has a figure that can be compared",
      "Wire profile or evaluate reports to baseline and candidate.",
    );
  }
  for (const warning of warnings) ctx.warn(warning);
  const estimated = rows.some((row) => Object.values(row.provenance).includes("estimated"));
  const provenance = estimated ? "estimated" : "measured";
  return { report: await ctx.artifacts.report({ kind: "compare", version: 1, provenance, rows, warnings }) };
});

async function read(ctx: RunContext, refs: readonly ArtifactRef<"report">[]): Promise<readonly ReportJson[]> {
  return Promise.all(
    refs.map(async (ref) => {
      const json = await ctx.artifacts.readJson(ref);
      if (typeof json === "object" && json !== null && "kind" in json) return { ...json };
      throw new UserError("bad-report", "a wired artifact is no report", "Wire the report port of a node.");
    }),
  );
}
