/** The house's one law: imports point down only. Says the file, what it imports, and the rule. */
import { describe, expect, it } from "vitest";
import { type Import, type SourceFile, sourceFiles } from "./support/imports.ts";

const files = sourceFiles();
const product = files.filter((file) => !/\.test\.tsx?$/.test(file.path) && !/^(test|bench)\//.test(file.path));
const generated = /^nodes\/(registry|registry\.server|faces)\.gen\.ts$/;

function offences(where: RegExp, allowed: (i: Import, file: SourceFile) => boolean): string[] {
  return product
    .filter((file) => where.test(file.path) && !generated.test(file.path))
    .flatMap((file) => file.imports.filter((i) => !allowed(i, file)).map((i) => `${file.path} imports ${i.target}`));
}
const under = (i: Import, ...folders: string[]) => i.own && folders.some((folder) => i.target.startsWith(`${folder}/`));
const npm = (i: Import, ...names: string[]) =>
  !i.own && names.some((n) => i.target === n || i.target.startsWith(`${n}/`));
const shared = ["define", "ports", "context", "face"].map((name) => `nodes/${name}.ts`);
/** What several faces share; it loads in a browser as they do. */
const faceParts = [
  "imagesIndex.ts",
  "detectionsHead.ts",
  "useHead.ts",
  "pictures.tsx",
  "bestPerBox.ts",
  "boxesFace.tsx",
].map((name) => `nodes/${name}`);

describe("imports point down only", () => {
  it("onnx/ knows nothing but itself", () => {
    expect(offences(/^onnx\//, (i) => under(i, "onnx"))).toEqual([]);
  });
  it("onnx/kernels/ stands alone", () => {
    expect(offences(/^onnx\/kernels\//, (i) => under(i, "onnx/kernels"))).toEqual([]);
  });
  it("targets/ knows onnx/ and zod", () => {
    const ok = (i: Import) => under(i, "targets", "onnx") || npm(i, "zod");
    expect(offences(/^targets\//, ok)).toEqual([]);
  });
  it("a schema or a face knows the shared definitions, its own folder, targets/ and onnx/", () => {
    const ok = (i: Import, file: SourceFile) => {
      const folder = file.path.split("/").slice(0, 2).join("/");
      return (
        shared.includes(i.target) ||
        faceParts.includes(i.target) ||
        under(i, folder, "targets", "onnx") ||
        npm(i, "zod", "react", "d3-scale", "d3-shape")
      );
    };
    expect(offences(/^nodes\/[^/]+\/(schema\.ts|face\.tsx)$/, ok)).toEqual([]);
  });
  it("nodes/ never reaches into server/, app/, pipelines/ or another node's folder", () => {
    const ok = (i: Import, file: SourceFile) => {
      if (!i.own) return true;
      const [, folder, ...rest] = i.target.split("/");
      const otherNode = i.target.startsWith("nodes/") && rest.length > 0 && folder !== file.path.split("/")[1];
      // load-images and load-video draw their synthetic scenes with the one renderer of load-scene.
      const renderer =
        i.target.startsWith("nodes/load-scene/scene/") && /^nodes\/load-(images|video)\//.test(file.path);
      // autotune judges what it tries as a pipeline would: prepared, decoded and scored by the code of these nodes.
      const judged =
        /^nodes\/(preprocess|nms|evaluate)\//.test(i.target) && file.path.startsWith("nodes/autotune/judge");
      return under(i, "nodes", "targets", "onnx") && (!otherNode || renderer || judged);
    };
    expect(offences(/^nodes\/.*\.tsx?$/, ok)).toEqual([]);
  });
  it("pipelines/document/ knows nodes' definitions, not their code", () => {
    const ok = (i: Import) =>
      under(i, "pipelines/document", "targets", "onnx") || shared.includes(i.target) || npm(i, "zod");
    expect(offences(/^pipelines\//, ok)).toEqual([]);
  });
  it.each(["executor", "storage", "runners"])("server/%s knows only types of its siblings", (room) => {
    const siblings = ["executor", "storage", "runners"]
      .filter((other) => other !== room)
      .map((other) => `server/${other}`);
    const ok = (i: Import) => {
      if (!i.own) return true;
      if (under(i, ...siblings)) return i.typeOnly;
      return under(i, `server/${room}`, "nodes", "pipelines/document", "targets", "onnx");
    };
    expect(offences(new RegExp(`^server/${room}/`), ok)).toEqual([]);
  });
  it("app/ knows only types of server/trpc", () => {
    const ok = (i: Import) =>
      !i.own ||
      under(i, "app", "pipelines/document", "targets", "onnx") ||
      (i.target.startsWith("nodes/") && !/\/run\.ts$|server\.gen/.test(i.target)) ||
      (i.typeOnly && under(i, "server/trpc"));
    expect(offences(/^app\//, ok)).toEqual([]);
  });
  it("one file imports onnxruntime-node", () => {
    const users = product
      .filter((file) => file.imports.some((i) => npm(i, "onnxruntime-node")))
      .map((file) => file.path);
    expect(users).toEqual(["server/runners/ort.ts"]);
  });
});

describe("what the browser loads", () => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const roots = product.filter((file) =>
    /^nodes\/[^/]+\/(schema\.ts|face\.tsx)$|^app\/|^pipelines\/document\//.test(file.path),
  );
  const native = (name: string) => /^(node:|sharp$|onnxruntime-node$|fs$|path$|esbuild$)/.test(name);

  it("reaches no Node module and no native library, however far one follows its imports", () => {
    const found: string[] = [];
    for (const root of roots) {
      const seen = new Set<string>();
      const visit = (path: string, trail: string) => {
        if (seen.has(path)) return;
        seen.add(path);
        for (const i of byPath.get(path)?.imports ?? []) {
          if (i.typeOnly) continue;
          if (i.own) visit(i.target, `${trail} → ${i.target}`);
          else if (native(i.target)) found.push(`${trail} → ${i.target}`);
        }
      };
      visit(root.path, root.path);
    }
    expect(found).toEqual([]);
  });
});

describe("house rules", () => {
  it("no source file is longer than 400 lines", () => {
    expect(product.filter((f) => f.lines > 400 && !generated.test(f.path)).map((f) => `${f.path}: ${f.lines}`)).toEqual(
      [],
    );
  });
  it("nothing is switched off or left for later", () => {
    const marks = /@ts-ignore|@ts-nocheck|eslint-disable|\bTODO\b|\bFIXME\b|\bas any\b/;
    expect(product.filter((file) => marks.test(file.text)).map((file) => file.path)).toEqual([]);
  });
});
