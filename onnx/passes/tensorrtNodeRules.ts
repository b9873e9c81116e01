/** The rules of `tensorrtReadiness.ts` that look at one ONNX node. */
import { DataType, dataTypeName } from "../ir/dataType.ts";
import type { Node, Value } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { ReadinessOptions, ReadinessProblem } from "./tensorrtReadiness.ts";

const LAYOUT = "Quantize with layout tensorrt: signed, symmetric, bias in float.";
const TAKE_OUT = "Take it out of the model, or compute it in a node of the pipeline after inference.";

/** What the importer of TensorRT for RTX 1.7.1 says `supports_operator` false to, operators of training and text aside. */
const UNSUPPORTED = new Set(
  `AffineGrid Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im Compress
  ConcatFromSequence CumProd DFT DeformConv Det ImageDecoder MaxRoiPool MaxUnpool MelWeightMatrix Multinomial Optional
  OptionalGetElement OptionalHasElement RegexFullMatch SequenceAt SequenceConstruct SequenceEmpty SequenceErase
  SequenceInsert SequenceLength SequenceMap SplitToSequence StringConcat StringNormalizer StringSplit SwiGLU
  TfIdfVectorizer Unique`.split(/\s+/),
);
/** Forms of quantization other than QuantizeLinear and DequantizeLinear. */
const QUANTIZED_OPERATORS = new Set(
  "QLinearConv QLinearMatMul ConvInteger MatMulInteger DynamicQuantizeLinear".split(" "),
);
/** These need a plugin that TensorRT for RTX does not carry. */
const PLUGINS = new Set(["NonMaxSuppression", "NonZero", "RoiAlign"]);
/** Operators whose float inputs must be of one type, with the first input that counts. */
const ONE_TYPE: ReadonlyMap<string, number> = new Map([
  ..."Add Sub Mul Div Pow Max Min Sum Mean PRelu Concat Gemm MatMul Conv ConvTranspose QuantizeLinear"
    .split(" ")
    .map((op) => [op, 0] as const),
  ["Where", 1],
]);
const MAX_TOP_K = 3840;

type Found = Omit<ReadinessProblem, "node" | "severity"> & { readonly severity?: "warning" };

export async function nodeProblems(node: Node, options: ReadinessOptions): Promise<readonly ReadinessProblem[]> {
  const found = [
    operatorProblem(node, options),
    mixedTypes(node),
    limits(node),
    ...(await quantizationProblems(node, options)),
  ];
  // The importer names a node without a name after its first output.
  const name = node.name || `node_of_${node.outputs[0]?.name ?? ""}`;
  return found.flatMap((problem) => (problem ? [{ severity: "error" as const, ...problem, node: name }] : []));
}

function operatorProblem({ opType, domain }: Node, { builder }: ReadinessOptions): Found | undefined {
  if (
    QUANTIZED_OPERATORS.has(opType) ||
    (domain.startsWith("com.microsoft") && /^(QLinear|Dynamic|MatMulInteger)/.test(opType))
  ) {
    return { code: "quantized-operator", message: `TensorRT does not read ${opType}`, fix: LAYOUT };
  }
  if (domain.startsWith("com.microsoft") || domain === "ai.onnx.ml") {
    return {
      code: "foreign-operator",
      message: `TensorRT does not read ${domain}.${opType}`,
      fix: "Compile the model from before compile-onnxruntime; its output is for ONNX Runtime alone.",
    };
  }
  if (domain !== "" && domain !== "ai.onnx") {
    return {
      code: "custom-operator",
      severity: "warning",
      message: `${domain}.${opType} needs a plugin of that name in the builder`,
      fix: TAKE_OUT,
    };
  }
  if (UNSUPPORTED.has(opType)) {
    return { code: "unsupported-operator", message: `TensorRT has no ${opType}`, fix: TAKE_OUT };
  }
  if (!PLUGINS.has(opType)) return undefined;
  return {
    code: "plugin-operator",
    ...(builder !== "tensorrt-rtx" && { severity: "warning" as const }),
    message: `${opType} needs a plugin, which TensorRT for RTX lacks`,
    fix: TAKE_OUT,
  };
}

const FLOATS: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16, DataType.BFLOAT16, DataType.DOUBLE]);

function mixedTypes(node: Node): Found | undefined {
  const first = ONE_TYPE.get(node.opType);
  if (first === undefined || node.domain.startsWith("com.")) return undefined;
  const counted = node.opType === "QuantizeLinear" ? node.inputs.slice(0, 2) : node.inputs.slice(first);
  const types = new Set(counted.flatMap((value) => typeOf(value) ?? []).filter((type) => FLOATS.has(type)));
  if (types.size < 2) return undefined;
  const names = [...types].map(dataTypeName).join(" and ");
  return {
    code: "mixed-precision",
    message: `${node.opType} reads ${names}; a strongly typed network wants one type`,
    fix: "Cast explicitly: quantize with mode fp16 places the Casts.",
  };
}

function limits(node: Node): Found | undefined {
  if (node.opType === "MaxPool" && node.outputs[1]) {
    return { code: "pool-indices", message: "MaxPool gives indices, which TensorRT does not", fix: TAKE_OUT };
  }
  const k = node.opType === "TopK" ? node.inputs[1]?.constant?.numbers?.[0] : undefined;
  if (k === undefined || k <= MAX_TOP_K) return undefined;
  return {
    code: "top-k",
    message: `TopK asks for ${k} values; TensorRT gives at most ${MAX_TOP_K}`,
    fix: `Export the model with at most ${MAX_TOP_K} candidates.`,
  };
}

async function quantizationProblems(node: Node, options: ReadinessOptions): Promise<readonly (Found | undefined)[]> {
  if (node.opType !== "QuantizeLinear" && node.opType !== "DequantizeLinear") return [];
  const [, scale, zeroPoint] = node.inputs;
  const type = quantizedType(node);
  return [
    type === undefined ? undefined : typeProblem(type, options),
    await zeroPointProblem(zeroPoint?.constant),
    await scaleProblem(scale?.constant),
  ];
}

/** What a QuantizeLinear writes or a DequantizeLinear reads; unsigned 8 bits is the operator's own default. */
function quantizedType(node: Node): number | undefined {
  if (node.opType === "DequantizeLinear") return typeOf(node.inputs[0]) ?? typeOf(node.inputs[2]);
  const stated = node.int("output_dtype");
  return typeOf(node.inputs[2]) ?? (stated ? stated : DataType.UINT8);
}

function typeProblem(type: number, { computeCapabilities }: ReadinessOptions): Found | undefined {
  const below = (limit: number) => computeCapabilities.filter((capability) => Number(capability) < limit);
  switch (type) {
    case DataType.INT8:
      return undefined;
    case DataType.UINT8:
      return {
        code: "unsigned-quantization",
        message: "it quantizes to unsigned 8 bits, which TensorRT would read as signed: what is above 127 would change",
        fix: LAYOUT,
      };
    case DataType.INT32:
      return { code: "int32-bias", message: "the bias is stored as int32 with a DequantizeLinear", fix: LAYOUT };
    case DataType.INT4:
      return capabilityProblem("INT4", below(8));
    case DataType.FLOAT8E4M3FN:
      return capabilityProblem("FP8", below(8.9));
    default:
      return {
        code: "quantized-type",
        message: `TensorRT does not quantize to ${dataTypeName(type)}`,
        fix: "Quantize to signed 8 bits (layout tensorrt), or weights to INT4 with zero point 0.",
      };
  }
}

function capabilityProblem(what: string, lacking: readonly string[]): Found | undefined {
  if (lacking.length === 0) return undefined;
  return {
    code: "capability",
    message: `compute capability ${lacking.join(", ")} has no ${what}`,
    fix: "Leave it out of computeCapabilities, or quantize to 8 bits.",
  };
}

async function zeroPointProblem(zeroPoint: Tensor | undefined): Promise<Found | undefined> {
  if (!zeroPoint || (await zeroPoint.bytes()).every((byte) => byte === 0)) return undefined;
  return { code: "zero-point", message: "its zero point is not 0; TensorRT quantizes symmetrically only", fix: LAYOUT };
}

async function scaleProblem(scale: Tensor | undefined): Promise<Found | undefined> {
  if (!scale || (await scale.floats()).every((value) => value > 0 && Number.isFinite(value))) return undefined;
  return {
    code: "scale",
    message: "one of its scales is 0, negative or no number",
    fix: "Calibrate with images that make every channel answer, or keep this node in float.",
  };
}

function typeOf(value: Value | null | undefined): number | undefined {
  return value?.constant?.dataType ?? value?.type?.elemType;
}
