/**
 * MatMul(A, B) + C -> Gemm(A, B, C), for matrices: A [m, k], B [k, n], C broadcast to [m, n]. Gemm knows no batch, so a
 * MatMul of higher rank stays as it is.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { bypass, forEachNode, isOp, onlyReader, type Rule, roundsOnPurpose, staticShape, writerOf } from "./rule.ts";

/** Why Gemm cannot do what MatMul and Add do; undefined where it can. */
function refusal(add: Node, product: Value, summand: Value | null | undefined): string | undefined {
  const matMul = product.producer;
  const [a, b] = [matMul?.inputs[0]?.shape, matMul?.inputs[1]?.shape];
  if (a?.length !== 2 || b?.length !== 2) return "MatMul of higher rank: Gemm knows no batch";
  if (product.type?.elemType !== DataType.FLOAT) return "it is not f32";
  if (onlyReader(product) !== add) return "the product is read elsewhere too";
  if (summand?.constant?.numbers?.some(roundsOnPurpose)) return "the summand is large enough to round by";
  const dims = summand && staticShape(summand);
  const n = product.shape?.[1];
  if (!dims || dims.length > 2 || typeof n !== "number") return "the summand's shape is not known";
  const [rows, columns] = dims.length === 2 ? dims : [1, dims[0] ?? 1];
  const fits = (columns === 1 || columns === n) && (rows === 1 || rows === product.shape?.[0]);
  return fits ? undefined : "the summand is larger than the product";
}

export const fuseMatMulAdd: Rule = {
  name: "fuse-matmul-add-to-gemm",
  apply({ graph, note }) {
    return forEachNode(graph, (node) => {
      const product = isOp(node, "Add") ? node.inputs.find((value) => writerOf(value, "MatMul")) : undefined;
      const matMul = product?.producer;
      if (!product || !matMul) return false;
      const summand = node.inputs.find((value) => value !== product);
      const reason = refusal(node, product, summand);
      if (reason || !summand) {
        note(node, reason ?? "");
        return false;
      }
      // The summand may be written after MatMul: the fused node stands where Add stood.
      const gemm = graph.addNode(
        {
          opType: "Gemm",
          name: matMul.name,
          inputs: [...matMul.inputs, summand],
          outputs: [graph.freshName(product.name)],
        },
        node,
      );
      gemm.output().type = node.output().type;
      return bypass(node, gemm.output());
    });
  },
};
