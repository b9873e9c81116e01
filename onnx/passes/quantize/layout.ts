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
  /** Dense layers whose outputs sum fewer products than this gain no time in integers, and stay in float. */
  readonly fewestProducts: number;
  /** A Conv of fewer inputs and fewer outputs than these, or of groups of fewer channels (depthwise aside), is slower in integers. */
  readonly slowInIntegers?: { readonly inputs: number; readonly outputs: number; readonly grouped: number };
  /** Whether SiLU behind integers must be written as the runtime's own operator to run as fast as in float. */
  readonly fusesSilu: boolean;
  /** What a Mul that equalises channels must be worth, dB: infinite where it would break a chain of integers. */
  readonly worthAMulDb: number;
  /** Whether the runtime rounds weights of float layers behind integers by itself, unless it is kept from it. */
  readonly roundsFloatWeights: boolean;
}

/** One bit. */
const BIT_DB = 20 * Math.log10(2);

const layouts: Record<LayoutName, Layout> = {
  // MLAS on x86 multiplies u8 by s8; QLinearConv wants its output quantized and its bias in int32. With 32 products or
  // less an output, requantizing eats what the multiplication saves.
  "onnxruntime-x86": {
    name: "onnxruntime-x86",
    activations: "asymmetric",
    integerBias: true,
    quantizeOutputs: true,
    fewestProducts: 33,
    slowInIntegers: { inputs: 4, outputs: 64, grouped: 32 },
    fusesSilu: true,
    worthAMulDb: Number.POSITIVE_INFINITY,
    roundsFloatWeights: true,
  },
  // TensorRT knows no zero point, wants the bias in float, and moves the quantizers of inputs where they serve it best.
  tensorrt: {
    name: "tensorrt",
    activations: "symmetric",
    integerBias: false,
    quantizeOutputs: false,
    fewestProducts: 0,
    fusesSilu: false,
    worthAMulDb: BIT_DB,
    roundsFloatWeights: false,
  },
};

export function layoutOf(name: LayoutName): Layout {
  return layouts[name];
}
