/** The `settings` artifact of a known model: what it wants of preprocess and nms, at the size of its own input. */
import { dataTypeName } from "../../onnx/ir/dataType.ts";
import type { Graph } from "../../onnx/ir/graph.ts";
import type { KnownModel } from "../context.ts";

export interface ModelSettings extends KnownModel {
  readonly kind: "settings";
  readonly version: 1;
}

export function modelSettings(known: KnownModel, graph: Graph): ModelSettings {
  const { title, preprocess, nms } = known;
  return {
    kind: "settings",
    version: 1,
    title,
    ...(preprocess && { preprocess: { ...preprocess, ...pictureInput(graph) } }),
    ...(nms && { nms }),
  };
}

/** Size, layout and type of the only input, where it is a picture of fixed size. */
function pictureInput(graph: Graph): Readonly<Record<string, unknown>> {
  const [input, ...more] = graph.feeds;
  const [, b, c, d] = input?.type?.shape ?? [];
  if (!input?.type || more.length > 0 || input.type.shape?.length !== 4) return {};
  const dtype = { f32: "f32", f16: "f16", u8: "u8" }[dataTypeName(input.type.elemType)];
  const type = dtype ? { dtype } : {};
  if (b === 3 && isSize(c) && isSize(d)) return { height: c, width: d, layout: "NCHW", ...type };
  if (d === 3 && isSize(b) && isSize(c)) return { height: b, width: c, layout: "NHWC", ...type };
  return type;
}

function isSize(dim: unknown): dim is number {
  return typeof dim === "number" && dim > 0;
}
