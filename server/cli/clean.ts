/** `edgewright clean`: frees disk. */
import { UserError } from "../../nodes/context.ts";
import { createServices } from "../services.ts";
import { workspaceRoot } from "./root.ts";
import { bytes } from "./table.ts";

export async function clean(options: { readonly keep: string }): Promise<void> {
  const keep = Number(options.keep);
  if (!(keep >= 0)) throw new UserError("bad-argument", `--keep ${options.keep} is no number of gigabytes`);
  const { freedBytes, keptBytes } = await createServices({ root: workspaceRoot() }).clean(keep * 2 ** 30);
  console.log(`Freed ${bytes(freedBytes)}; ${bytes(keptBytes)} stay.`);
}
