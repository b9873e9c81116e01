/** `edgewright check`: what keeps a document from running, without running it. */
import type { Diagnostic } from "../../nodes/define.ts";
import { describeError } from "../executor/errors.ts";
import { prepare } from "../executor/prepare.ts";
import { createServices } from "../services.ts";
import { EXIT } from "./cli.ts";
import { readDoc } from "./readDoc.ts";
import { workspaceRoot } from "./root.ts";

/** Resolves with the exit code: warnings alone are none. */
export async function check(file: string, options: { readonly json?: boolean }): Promise<number> {
  const diagnostics = await diagnose(file);
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

/** A file that is no document is a diagnostic too. */
async function diagnose(file: string): Promise<readonly Diagnostic[]> {
  let doc: unknown;
  try {
    doc = await readDoc(file);
  } catch (error) {
    const { code, message, fix } = describeError(error);
    return [{ code, severity: "error", message, ...(fix !== undefined && { fix }) }];
  }
  const services = createServices({ root: workspaceRoot(file) });
  return (await prepare({ doc }, await services.prepareContext())).diagnostics;
}
