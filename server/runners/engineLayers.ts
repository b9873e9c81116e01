/**
 * The layers of a built engine, from either of the two texts that TensorRT gives: the `Layers:` line of its verbose
 * build log (needs no GPU) and the engine inspector's JSON (`trtexec --exportLayerInfo`), in its spellings of 10 and 11.
 */
import { z } from "zod";
import type { EngineLayer } from "../../nodes/context.ts";

const ORIGIN = "[ONNX Layer: ";

/** `Layers:` and one line a layer: `Name: .., LayerType: .., Inputs: [ { .. Datatype: Int8, .. }], .. Metadata: [ONNX Layer: ..]`. */
export function layersFromLog(text: string): readonly EngineLayer[] {
  return text.split("\n").flatMap((line) => {
    const head = /^Name: (.*?), LayerType: ([^,]*), /.exec(line);
    if (!head) return [];
    const metadata = line.slice(line.lastIndexOf("Metadata: ") + "Metadata: ".length);
    // Inputs stand first, then constants, then outputs: the first type is what the layer reads.
    const type = /Datatype: (\w+)/.exec(line)?.[1];
    return [layer(head[1] ?? "", head[2] ?? "", type ?? "", metadata)];
  });
}

const tensorSchema = z.looseObject({
  Datatype: z.string().optional(),
  "Format/Datatype": z.string().optional(),
  Format: z.string().optional(),
});
const inspectorSchema = z.looseObject({
  Layers: z.array(
    z.union([
      z.string(),
      z.looseObject({
        Name: z.string(),
        LayerType: z.string().default(""),
        Inputs: z.array(tensorSchema).default([]),
        Outputs: z.array(tensorSchema).default([]),
        Metadata: z.string().default(""),
      }),
    ]),
  ),
});

/** Entries that are bare names (an engine built without detailed verbosity) have no type and no precision. */
export function layersFromInspector(json: unknown): readonly EngineLayer[] {
  return inspectorSchema.parse(json).Layers.map((entry) => {
    if (typeof entry === "string") return layer(entry, "", "", "");
    const tensor = entry.Inputs[0] ?? entry.Outputs[0];
    const type = tensor?.Datatype ?? tensor?.["Format/Datatype"] ?? tensor?.Format ?? "";
    return layer(entry.Name, entry.LayerType, type, entry.Metadata);
  });
}

function layer(name: string, type: string, datatype: string, metadata: string): EngineLayer {
  // What stands between two of them differs by version (nothing, a record separator); a name may hold brackets.
  const origins = metadata
    .split(ORIGIN)
    .slice(1)
    .map((part) => part.slice(0, part.lastIndexOf("]")));
  return { name, type, precision: precisionOf(datatype), origins: [...new Set(origins)] };
}

/** TensorRT writes `Half`, `FP16` or `Channel major FP16 format where channel % 8 == 0`. */
function precisionOf(text: string): string {
  const word = /\b(FP32|Float|FP16|Half|BF16|BFloat16|Int8|FP8|Int4|FP4|Int32|Int64|Bool)\b/i.exec(text)?.[1];
  switch (word?.toLowerCase()) {
    case undefined:
      return "";
    case "fp32":
    case "float":
      return "Float";
    case "fp16":
    case "half":
      return "Half";
    case "bf16":
    case "bfloat16":
      return "BFloat16";
    case "int8":
      return "Int8";
    default:
      return word ?? "";
  }
}
