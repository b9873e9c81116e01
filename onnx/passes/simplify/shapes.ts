/**
 * Reshape(x, computed) -> Reshape(x, constant) where each entry of the target is a number, or the size of the same axis
 * of x (0 copies it), or the only other unknown (-1 stands for it). The nodes that computed the target then die.
 */
import { Tensor } from "../../ir/tensor.ts";
import { forEachNode, isOp, type Rule } from "./rule.ts";

export const constantReshapeTargets: Rule = {
  name: "constant-reshape-target",
  apply({ graph, elements, note }) {
    return forEachNode(graph, (node) => {
      const shape = node.inputs[1];
      if (!isOp(node, "Reshape") || !shape || shape.constant || node.int("allowzero") === 1) return false;
      const known = elements(shape);
      const source = node.input(0).shape;
      const target = known?.map((dim, axis) => {
        if (typeof dim === "number") return dim;
        return dim !== null && source?.[axis] === dim ? 0 : -1;
      });
      const result = node.output().shape;
      if (!target || target.filter((dim) => dim === -1).length > 1 || result?.includes(0)) {
        note(node, "its target depends on more than one unknown size");
        return false;
      }
      node.setInput(1, graph.addInitializer(`${node.output().name}_shape`, Tensor.i64([target.length], target)));
      return true;
    });
  },
};
