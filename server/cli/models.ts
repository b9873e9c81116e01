/** `edgewright models`: the catalogue that a `source` may name. */
import { createServices } from "../services.ts";
import { workspaceRoot } from "./root.ts";

export function models(options: { readonly json?: boolean }): void {
  const { catalogue } = createServices({ root: workspaceRoot() });
  if (options.json) {
    console.log(JSON.stringify(catalogue));
    return;
  }
  for (const { id, format, sizeBytes, licence, title } of catalogue) {
    const size = sizeBytes === null ? "–" : `${(sizeBytes / 1e6).toPrecision(3)} MB`;
    console.log(`${id.padEnd(12)} ${format.padEnd(8)} ${size.padStart(8)}  ${title}: ${licence}`);
  }
}
