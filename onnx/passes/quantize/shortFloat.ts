/** The two 16-bit floats that a model can be cast to: IEEE binary16 (FP16), and the upper half of a binary32 (BF16). */
import { DataType } from "../../ir/dataType.ts";
import type { Node } from "../../ir/graph.ts";
import { floatToBfloat16 } from "../../kernels/floatToBfloat16.ts";
import { floatToHalf } from "../../kernels/floatToHalf.ts";
import { LARGEST_HALF } from "./beyondHalf.ts";

export interface ShortFloat {
  readonly name: string;
  readonly dataType: number;
  /** For names of values that are cast to it. */
  readonly suffix: string;
  /** The largest magnitude that it holds. */
  readonly largest: number;
  /** Bits of the nearest one, ties to even. */
  readonly round: (value: number) => number;
  /** Whether the node's operator is not defined for it. */
  readonly lacks: (node: Node) => boolean;
  /** The operator set from which on it is written; `quantizersFrom` where the model has quantizers. */
  readonly from: number;
  readonly quantizersFrom: number;
}

const FLOAT_ALONE: readonly string[] = ["NonMaxSuppression", "DynamicQuantizeLinear", "Range", "ImageDecoder"];
/** By the type constraints of operator set 22. */
const NOT_IN_BF16: readonly string[] = [
  ...FLOAT_ALONE,
  ...["Celu", "Compress", "Einsum", "OneHot", "ReverseSequence", "Shrink", "TfIdfVectorizer", "TopK", "Unique"],
  ...["Optional", "OptionalGetElement", "OptionalHasElement", "SequenceAt", "SequenceConstruct", "SequenceInsert"],
  ...["ConcatFromSequence", "SplitToSequence", "SequenceMap"],
];

export const FP16: ShortFloat = {
  name: "half",
  dataType: DataType.FLOAT16,
  suffix: "f16",
  largest: LARGEST_HALF,
  round: floatToHalf,
  lacks: ({ opType }) => FLOAT_ALONE.includes(opType),
  from: 0,
  quantizersFrom: 19,
};

/** Conv and pooling take it from operator set 22 on. */
export const BF16: ShortFloat = {
  name: "bfloat16",
  dataType: DataType.BFLOAT16,
  suffix: "bf16",
  largest: (2 - 2 ** -7) * 2 ** 127,
  round: floatToBfloat16,
  lacks: ({ domain, opType }) => (domain !== "" && domain !== "ai.onnx") || NOT_IN_BF16.includes(opType),
  from: 22,
  quantizersFrom: 22,
};
