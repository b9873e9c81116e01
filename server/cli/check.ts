/** `edgewright check`: what keeps a document from running, without running it. */
import { prepare } from "../executor/prepare.ts";
import { createServices } from "../services.ts";
import { EXIT } from "./cli.ts";
import { readDoc } from "./readDoc.ts";
import { workspaceRoot } from "./root.ts";

/** Resolves with the exit code: warnings alone are none. */
export async function check(file: string, options: { readonly json?: boolean }): Promise<number> {
  const doc = await readDoc(file);
  const services = createServices({ root: workspaceRoot(file) });
  const { diagnostics } = await prepare({ doc }, await services.prepareContext());
  if (options.json) console.log(JSON.stringify(diagnostics));
  else {
    for (const { severity, nodeId, message, fix } of diagnostics) {
      console.log(
        `${severity === "error" ? "✗" : "!"} ${nodeId ? `${nodeId}: ` : ""}${message}${fix ? `\n  ${fix}` : ""}`,
      );
    }
    if (diagnostics.length === 0) console.log("Nothing keeps it from running.");
  }
  return diagnostics.some(({ severity }) => severity === "error") ? EXIT.wrong : EXIT.done;
}
