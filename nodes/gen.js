/**
 * Writes the two registries from the folders beside this file: `registry.gen.ts` (schemas and faces, for the browser)
 * and `registry.server.gen.ts` (implementations). Plain JavaScript, since it runs before anything is built.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const types = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(here, entry.name, "schema.ts")))
  .map((entry) => entry.name)
  .sort();
const camel = (type) => type.replace(/-(.)/g, (_, c) => c.toUpperCase());
const withFile = (file) => types.filter((type) => existsSync(join(here, type, file)));
const head = "// Written by nodes/gen.js from the folders of nodes/. Do not edit.\n";

const schemas = types.map((t) => `import { ${camel(t)} as ${camel(t)}Def } from "./${t}/schema.ts";\n`).join("");
const faces = withFile("face.tsx");
const faceImports = faces.map((t) => `import { Face as ${camel(t)}Face } from "./${t}/face.tsx";\n`).join("");
const runs = withFile("run.ts");

function write(file, text) {
  const path = join(here, file);
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

write(
  "registry.gen.ts",
  `${head}import type { NodeDef } from "./define.ts";\n${schemas}
export const nodeDefs: Readonly<Record<string, NodeDef>> = {
${types.map((t) => `  "${t}": ${camel(t)}Def,`).join("\n")}
};\n`,
);
write(
  "faces.gen.ts",
  `${head}import type { FaceComponent } from "./face.ts";\n${faceImports}
export const nodeFaces: Readonly<Record<string, FaceComponent>> = {
${faces.map((t) => `  "${t}": ${camel(t)}Face,`).join("\n")}
};\n`,
);
// Loaded when a step needs them: a model's step starts without the libraries of pictures.
write(
  "registry.server.gen.ts",
  `${head}import type { NodeImpl } from "./define.ts";
export const nodeImpls: Readonly<Record<string, () => Promise<NodeImpl>>> = {
${runs.map((t) => `  "${t}": async () => (await import("./${t}/run.ts")).run,`).join("\n")}
};\n`,
);
