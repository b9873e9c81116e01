/** `edgewright models`: the catalogue that a `source` may name. */
import { createServices } from "../services.ts";
import { columns } from "./resultTable.ts";
import { workspaceRoot } from "./root.ts";

export function models(options: { readonly json?: boolean }): void {
  const { catalogue } = createServices({ root: workspaceRoot() });
  if (options.json) {
    console.log(JSON.stringify(catalogue));
    return;
  }
  const rows = catalogue.map(({ id, format, sizeBytes, licence, task, title }) => [
    id,
    format,
    sizeBytes === null ? "–" : `${(sizeBytes / 1e6).toPrecision(3)} MB`,
    licence,
    `${title}, ${task}`,
  ]);
  console.log(columns(rows));
}
