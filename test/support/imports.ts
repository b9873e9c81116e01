/** The project's own files and what each imports, read as text: what the architecture test judges. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

export interface Import {
  /** A path from the project's root, or a package's name as written. */
  readonly target: string;
  readonly own: boolean;
  readonly typeOnly: boolean;
}
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

const FOLDERS = ["app", "nodes", "onnx", "targets", "pipelines", "server", "test", "bench"];
const STATEMENT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^"';]*?from\s*["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)|(?:^|\n)import\s*["']([^"']+)["']/g;

export function sourceFiles(): SourceFile[] {
  return FOLDERS.flatMap((folder) => [...walk(join(projectRoot, folder))]).map((path) => {
    const text = readFileSync(path, "utf8");
    const name = relative(projectRoot, path);
    const imports = [...text.matchAll(STATEMENT)].map((match) => {
      const written = match[2] ?? match[3] ?? match[4] ?? "";
      const own = written.startsWith(".");
      return { target: own ? normalize(join(dirname(name), written)) : written, own, typeOnly: match[1] !== undefined };
    });
    return { path: name, text, lines: text.split("\n").length - 1, imports };
  });
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (/\.(ts|tsx|js)$/.test(entry.name)) yield path;
  }
}
