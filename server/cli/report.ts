/** `edgewright report`: the figures of a run, from its log alone. */
import { UserError } from "../../nodes/context.ts";
import { emptyRun, reduceRun } from "../../pipelines/document/reduceRun.ts";
import { createServices } from "../services.ts";
import { resultTable } from "./resultTable.ts";
import { workspaceRoot } from "./root.ts";

export async function report(wanted: string, options: { readonly json?: boolean }): Promise<void> {
  const { executor } = createServices({ root: workspaceRoot() });
  const runId = wanted === "last" ? (await executor.list())[0]?.runId : wanted;
  if (runId === undefined) throw new UserError("no-run", "there is no run yet", "Start one: edgewright run FILE");
  const state = reduceRun(await executor.events(runId), emptyRun);
  const outputs = Object.fromEntries(Object.entries(state.steps).map(([node, step]) => [node, step.outputs]));
  if (options.json) {
    const reports = Object.entries(outputs).flatMap(([node, ports]) =>
      Object.entries(ports).flatMap(([port, { value }]) => (value === undefined ? [] : [[`${node}.${port}`, value]])),
    );
    console.log(JSON.stringify({ runId, status: state.status, reports: Object.fromEntries(reports) }));
    return;
  }
  console.log(`${state.pipeline} on ${state.target}: ${state.status} (run ${runId})`);
  process.stdout.write(resultTable(outputs));
}
