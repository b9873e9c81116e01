/** The folder of package.json: from the sources (tests) as from the bundles in dist/. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = find(dirname(fileURLToPath(import.meta.url)));

const { version }: { version: string } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
export const projectVersion = version;

function find(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  if (dirname(folder) === folder) throw new Error("the project's package.json is gone");
  return find(dirname(folder));
}
