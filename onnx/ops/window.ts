/** Sliding windows: what Conv, the pools and their quantized and fused kin share (ONNX Operators.md, Conv, MaxPool). */
import type { Dim, Node, Shape } from "../ir/graph.ts";
import { isKnown, mapDim, unknownDims } from "./dims.ts";
import { ShapeError } from "./op.ts";

export interface WindowOptions {
  readonly kernel: readonly Dim[];
  /** Pools may round up. */
  readonly ceil?: boolean;
}

/** The list attribute, checked against the number of spatial dimensions; `fallback` where it is absent. */
function perAxis(node: Node, name: string, count: number, fallback: number): readonly number[] {
  const values = node.ints(name);
  if (!values) return new Array<number>(count).fill(fallback);
  if (values.length !== count) throw new ShapeError(`${name} has ${values.length} entries where ${count} are needed`);
  return values;
}

/** Spatial sizes after the window; each is null where its input or kernel size is unknown. */
export function windowedDims(node: Node, spatial: Shape, options: WindowOptions): Dim[] {
  const rank = spatial.length;
  const strides = perAxis(node, "strides", rank, 1);
  const dilations = perAxis(node, "dilations", rank, 1);
  const autoPad = node.string("auto_pad") ?? "NOTSET";
  const pads = autoPad === "NOTSET" || autoPad === "" ? perAxis(node, "pads", rank * 2, 0) : undefined;
  if (strides.some((s) => s < 1)) throw new ShapeError(`strides [${strides.join(", ")}] must be positive`);
  return spatial.map((size, axis) => {
    const stride = strides[axis] ?? 1;
    if (autoPad.startsWith("SAME")) return mapDim(size, (n) => Math.ceil(n / stride));
    const kernel = options.kernel[axis];
    if (!isKnown(size) || !isKnown(kernel)) return null;
    const before = pads?.[axis] ?? 0;
    const padded = size + before + (pads?.[axis + rank] ?? 0);
    const extent = (kernel - 1) * (dilations[axis] ?? 1) + 1;
    if (extent > padded) throw new ShapeError(`a window of ${extent} does not fit into ${padded} (axis ${axis + 2})`);
    const steps = (padded - extent) / stride;
    if (!options.ceil) return Math.floor(steps) + 1;
    const rounded = Math.ceil(steps);
    // A window that would start in the padding at the end is left out.
    return rounded * stride >= size + before ? rounded : rounded + 1;
  });
}

/** The spatial size of a transposed convolution (ONNX Operators.md, ConvTranspose). */
export function transposedDims(node: Node, spatial: Shape, kernel: readonly Dim[]): Dim[] {
  const rank = spatial.length;
  const outputShape = node.ints("output_shape");
  if (outputShape) return outputShape.length > rank ? outputShape.slice(-rank) : [...outputShape];
  const strides = perAxis(node, "strides", rank, 1);
  const dilations = perAxis(node, "dilations", rank, 1);
  const extra = perAxis(node, "output_padding", rank, 0);
  const autoPad = node.string("auto_pad") ?? "NOTSET";
  const pads = perAxis(node, "pads", rank * 2, 0);
  return spatial.map((size, axis) => {
    const stride = strides[axis] ?? 1;
    if (autoPad.startsWith("SAME")) return mapDim(size, (n) => n * stride);
    const window = kernel[axis];
    if (!isKnown(size) || !isKnown(window)) return null;
    const extent = (window - 1) * (dilations[axis] ?? 1) + 1;
    const trimmed = autoPad === "VALID" ? 0 : (pads[axis] ?? 0) + (pads[axis + rank] ?? 0);
    return stride * (size - 1) + (extra[axis] ?? 0) + extent - trimmed;
  });
}

/** The kernel sizes: the attribute, or the weight's own spatial dimensions. */
export function kernelDims(node: Node, weight: Shape | undefined, rank: number): readonly Dim[] {
  return node.ints("kernel_shape") ?? weight?.slice(2) ?? unknownDims(rank);
}
