/** The README of an exported folder: what is in it, what the model takes and gives, how to run it. */
import { dataTypeName } from "../../onnx/ir/dataType.ts";
import type { Model, Value } from "../../onnx/ir/graph.ts";

export interface ExportedFolder {
  readonly name: string;
  /** Undefined for an engine and for a kit. */
  readonly model?: Model;
  readonly modelFiles: readonly string[];
  /** The files build an engine; there is none yet. */
  readonly isKit: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Calibration tables. */
  readonly tables: readonly string[];
  readonly reports: readonly { readonly file: string; readonly json: Readonly<Record<string, unknown>> }[];
}

export function readme(folder: ExportedFolder): string {
  const sections = [
    `# ${folder.name}`,
    fileList(folder),
    folder.model ? tensors(folder.model) : folder.isKit ? KIT : engineText(folder),
    folder.settings ? settingsText(folder.settings) : "",
    folder.model ? onnxExample(folder.model, folder.settings !== undefined) : "",
    figures(folder),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

function fileList({ modelFiles, settings, tables, reports }: ExportedFolder): string {
  const lines = [
    ...modelFiles.map((file) => `- \`${file}\``),
    ...(settings ? ["- `preprocess.json`: how a picture becomes the input"] : []),
    ...tables.map((file) => `- \`${file}\`: the ranges of the activations`),
    ...reports.map(({ file, json }) => `- \`${file}\`: ${String(json.kind)}, ${String(json.provenance)}`),
  ];
  return `## Files\n${lines.join("\n")}`;
}

function tensors({ graph }: Model): string {
  const row = (role: string, { name, type }: Value) => {
    const shape = type?.shape?.map((dim) => dim ?? "?").join(", ") ?? "?";
    return `| ${role} | \`${name}\` | ${type ? dataTypeName(type.elemType) : "?"} | [${shape}] |`;
  };
  const rows = [
    ...graph.feeds.map((value) => row("input", value)),
    ...graph.outputs.map((value) => row("output", value)),
  ];
  return `## Inputs and outputs\n| | name | type | shape |\n|---|---|---|---|\n${rows.join("\n")}`;
}

const KIT = `## Building it
No engine was built. On the device it is for, where TensorRT is, \`sh kit/build.sh\` builds \`kit/model.engine\`.`;

/** Only the compiler's report says what built an engine, and for which GPU. */
function engineText({ modelFiles, reports }: ExportedFolder): string {
  const file = modelFiles.find((name) => name.endsWith(".engine")) ?? "model.engine";
  const compiled = reports.find(({ json }) => json.kind === "compile-tensorrt")?.json;
  const builder = typeof compiled?.builder === "string" ? compiled.builder : undefined;
  const built = builder === undefined ? "" : `Built by ${builder}${capabilities(compiled)}. `;
  const rtx = `Load it with TensorRT for RTX of that version on such a GPU (its Python and C++ runtimes, or its own trtexec); TensorRT itself does not read it.`;
  const trt = `To time it on its device:\n\`\`\`\ntrtexec --loadEngine=${file}\n\`\`\``;
  const evidence = typeof compiled?.evidence === "string" ? ` ${compiled.evidence}` : "";
  const how = builder?.startsWith("tensorrt-rtx") ? rtx : trt;
  return `## Running it\n${built}An engine holds for the version that built it and for that GPU generation.${evidence} ${how}`;
}

function capabilities(report: Readonly<Record<string, unknown>> | undefined): string {
  const engines = Array.isArray(report?.engines) ? report.engines : [];
  const values = engines.flatMap((engine) =>
    typeof engine?.computeCapability === "string" ? [engine.computeCapability] : [],
  );
  return values.length > 0 ? ` for compute capability ${values.join(", ")}` : "";
}

const FITS: Readonly<Record<string, string>> = {
  stretch: "resize to width x height; the aspect changes",
  "letterbox-center": "resize by the smaller ratio, rounded to nearest; centre; fill the rest with the pad value",
  "letterbox-topleft":
    "resize by the smaller ratio, rounded down; place at the top left; fill the rest with the pad value",
  crop: "resize by the larger ratio; cut the middle out",
};

/** The exact values, in the order in which they apply. */
function settingsText(settings: Readonly<Record<string, unknown>>): string {
  const value = (name: string) => JSON.stringify(settings[name]);
  return `## Preprocessing
1. Decode to 8-bit ${String(settings.colorOrder)}.
2. ${FITS[String(settings.mode)] ?? String(settings.mode)}: width ${value("width")}, height ${value("height")}, interpolation ${value("interpolation")} as OpenCV defines it, pad value ${value("pad")}.
3. x = (value * ${value("scale")} - mean) / std with mean ${value("mean")}, std ${value("std")}, by channel.
4. Layout ${String(settings.layout)}, type ${String(settings.dtype)}.

To bring boxes back to the picture's pixels, subtract the padding's offset, then divide by the resize ratio.`;
}

function onnxExample({ graph }: Model, hasSettings: boolean): string {
  const feeds = graph.feeds.map(({ name }) => `${JSON.stringify(name)}: ...`).join(", ");
  const note = hasSettings ? "each array made as above" : "each an array of the type and shape above";
  return `## Running it
\`\`\`python
import onnxruntime
session = onnxruntime.InferenceSession("model.onnx")
outputs = session.run(None, {${feeds}})  # ${note}
\`\`\``;
}

const FIGURES: readonly (readonly [string, string])[] = [
  ["p50Ms", "p50, ms"],
  ["p99Ms", "p99, ms"],
  ["throughput", "inferences a second"],
  ["mAP", "mAP"],
  ["mAP50", "mAP50"],
];

function figures({ reports }: ExportedFolder): string {
  const lines = reports.flatMap(({ json }) =>
    FIGURES.flatMap(([key, label]) => {
      const value = json[key];
      if (typeof value !== "number") return [];
      const on = typeof json.target === "string" ? ` on ${json.target}` : "";
      const through = typeof json.runtime === "string" ? ` through ${json.runtime}` : "";
      return [`- ${label}: ${Number(value.toPrecision(4))} (${String(json.provenance)}${on}${through})`];
    }),
  );
  return lines.length > 0 ? `## Figures\n${lines.join("\n")}` : "";
}
