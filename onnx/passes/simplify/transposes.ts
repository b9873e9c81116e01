/**
 * Transpose(Transpose(x, p), q) -> Transpose(x, p q), which is x itself where p q is in order (`dropIdentities`).
 * Gemm(Transpose(A), B) -> Gemm(A, B) with transA turned over, likewise for B.
 */
import type { Node } from "../../ir/graph.ts";
import { forEachNode, isOp, onlyReader, type Rule, writerOf } from "./rule.ts";

function permOf(node: Node): readonly number[] | undefined {
  const given = node.ints("perm");
  if (given) return given;
  const rank = node.output().shape?.length;
  return rank === undefined ? undefined : Array.from({ length: rank }, (_, i) => rank - 1 - i);
}

export const mergeTransposes: Rule = {
  name: "merge-transposes",
  apply({ graph, note }) {
    return forEachNode(graph, (node) => {
      const before = isOp(node, "Transpose") ? writerOf(node.inputs[0], "Transpose") : undefined;
      if (!before) return false;
      const [first, second] = [permOf(before), permOf(node)];
      if (!first || !second) return false;
      const perm = second.map((axis) => first[axis] ?? 0);
      const inOrder = perm.every((axis, i) => axis === i);
      if (!inOrder && onlyReader(before.output()) !== node) {
        note(node, "the first Transpose is read elsewhere too");
        return false;
      }
      node.setInput(0, before.input(0));
      node.set("perm", perm);
      return true;
    });
  },
};

export const foldTransposeIntoGemm: Rule = {
  name: "fold-transpose-into-gemm",
  apply({ graph }) {
    return forEachNode(graph, (node) => {
      if (!isOp(node, "Gemm")) return false;
      let changed = false;
      for (const [index, name] of ["transA", "transB"].entries()) {
        const transpose = writerOf(node.inputs[index], "Transpose");
        if (!transpose || permOf(transpose)?.join() !== "1,0" || onlyReader(transpose.output()) !== node) continue;
        node.setInput(index, transpose.input(0));
        node.set(name, 1 - (node.int(name) ?? 0));
        changed = true;
      }
      return changed;
    });
  },
};
