/** `edgewright nodes`, `edgewright targets` and `edgewright runs`. */
import { createServices } from "../services.ts";
import { describeNode, describeTarget } from "../trpc/describe.ts";
import { workspaceRoot } from "./root.ts";
import { columns } from "./table.ts";

export function nodes(options: { readonly json?: boolean }): void {
  const { defs } = createServices({ root: workspaceRoot() });
  const described = Object.values(defs).map(describeNode);
  if (options.json) console.log(JSON.stringify(described));
  else for (const { type, doc } of described) console.log(`${type.padEnd(22)} ${doc}`);
}

export function targets(options: { readonly json?: boolean }): void {
  const described = createServices({ root: workspaceRoot() }).targets.map(describeTarget);
  if (options.json) console.log(JSON.stringify(described));
  else console.log(columns(described.map(({ id, name, provenance }) => [id, name, provenance])));
}

/** Newest first. */
export async function runs(options: { readonly json?: boolean }): Promise<void> {
  const found = await createServices({ root: workspaceRoot() }).executor.list();
  if (options.json) console.log(JSON.stringify(found));
  else if (found.length === 0) console.log("There is no run yet.");
  else console.log(columns(found.map((run) => [run.runId, run.pipeline, run.target, run.status, run.startedAt])));
}
