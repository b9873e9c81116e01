/** What a runtime wants of a quantized graph. */
export const LAYOUTS = ["onnxruntime-x86", "tensorrt"] as const;
export type LayoutName = (typeof LAYOUTS)[number];

export interface Layout {
  readonly name: LayoutName;
  /** Unsigned with a zero point, or signed around zero. */
  readonly activations: "asymmetric" | "symmetric";
  /** The bias as int32 behind a DequantizeLinear, or left in float. */
  readonly integerBias: boolean;
  /** Whether a layer's output is quantized too, and 8 bits are carried on from layer to layer. */
  readonly quantizeOutputs: boolean;
}

const layouts: Record<LayoutName, Layout> = {
  // MLAS on x86 multiplies u8 by s8; QLinearConv wants its output quantized and its bias in int32.
  "onnxruntime-x86": {
    name: "onnxruntime-x86",
    activations: "asymmetric",
    integerBias: true,
    quantizeOutputs: true,
  },
  // TensorRT knows no zero point, wants the bias in float, and moves the quantizers of inputs where they serve it best.
  tensorrt: { name: "tensorrt", activations: "symmetric", integerBias: false, quantizeOutputs: false },
};

export function layoutOf(name: LayoutName): Layout {
  return layouts[name];
}
