/**
 * The command line of NVIDIA's trtexec, by version. Pure, since it is also what a build kit hands to a person.
 *
 * Precision lives in the ONNX, so networks are strongly typed: a flag in 10 (never beside `--fp16` or `--int8`), the
 * only way in 11. Flags kept here mean the same in both (docs.nvidia.com, TensorRT command-line programs).
 */
import type { ShapeRange } from "../onnx/passes/tensorrtReadiness.ts";

export interface TrtVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

export interface TrtexecOptions {
  readonly onnx: string;
  readonly engine: string;
  /** Shapes of dynamic inputs by name. */
  readonly shapes?: Readonly<Record<string, ShapeRange>>;
  /** Where the layers go as JSON. */
  readonly layerInfo?: string;
}

/** Reads `[TensorRT v101602]` (10.16.2) of the banner; undefined where there is none. */
export function parseTrtexecVersion(output: string): TrtVersion | undefined {
  const digits = /\[TensorRT v(\d{4,6})\]/.exec(output)?.[1];
  if (!digits) return undefined;
  // Since 10 two digits each; before, 8601 was 8.6.1.
  const n = Number(digits);
  const perMajor = digits.length <= 4 ? 1000 : 10_000;
  return { major: Math.floor(n / perMajor), minor: Math.floor((n % perMajor) / 100), patch: n % 100 };
}

export function trtexecArguments(version: Pick<TrtVersion, "major">, options: TrtexecOptions): readonly string[] {
  return [
    `--onnx=${options.onnx}`,
    `--saveEngine=${options.engine}`,
    ...(version.major === 10 ? ["--stronglyTyped"] : []),
    ...shapeArguments(options.shapes ?? {}),
    "--skipInference",
    "--profilingVerbosity=detailed",
    ...(options.layerInfo === undefined ? [] : [`--exportLayerInfo=${options.layerInfo}`]),
  ];
}

function shapeArguments(shapes: Readonly<Record<string, ShapeRange>>): readonly string[] {
  const entries = Object.entries(shapes);
  if (entries.length === 0) return [];
  const list = (which: keyof ShapeRange) =>
    entries.map(([name, range]) => `${quoted(name)}:${range[which].join("x")}`).join(",");
  return [`--minShapes=${list("min")}`, `--optShapes=${list("opt")}`, `--maxShapes=${list("max")}`];
}

/** trtexec splits at commas and colons; a name with one stands in single quotes. */
function quoted(name: string): string {
  return /[,:]/.test(name) ? `'${name}'` : name;
}
