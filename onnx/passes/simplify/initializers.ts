/**
 * Constants in one form: an initializer that nothing can change.
 *   Constant node            -> initializer
 *   input with initializer   -> initializer (where its exporter lists every weight so: runtimes fold only what is a
 *                               constant; an input with a default stays one, see `optionalInputs.ts`)
 *   unused initializer       -> nothing
 *   two equal initializers   -> one
 */
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { EqualTensors } from "../equalTensors.ts";
import { dropUnreadInitializers } from "../unreadInitializers.ts";
import { forEachNode, isOp, type Rule } from "./rule.ts";

/** The tensor of a Constant node, in whichever attribute it is; undefined for strings and sparse tensors. */
function constantTensor(node: Node): Tensor | undefined {
  const int = node.int("value_int");
  const ints = node.ints("value_ints");
  const float = node.float("value_float");
  const floats = node.floats("value_floats");
  if (int !== undefined) return Tensor.i64([], [int]);
  if (ints) return Tensor.i64([ints.length], ints);
  if (float !== undefined) return Tensor.f32([], [float]);
  if (floats) return Tensor.f32([floats.length], floats);
  return node.tensor("value");
}

export const constantsToInitializers: Rule = {
  name: "constant-to-initializer",
  apply({ graph, note }) {
    return forEachNode(graph, (node) => {
      if (!isOp(node, "Constant")) return false;
      const tensor = constantTensor(node);
      const out = node.output();
      if (!tensor || out.isGraphOutput) {
        note(node, out.isGraphOutput ? "is a graph output" : "holds strings or a sparse tensor");
        return false;
      }
      node.setOutput(0, null);
      out.initializer = tensor;
      out.type = { elemType: tensor.dataType, shape: tensor.dims };
      graph.removeNode(node);
      return true;
    });
  },
};

export const inputsToConstants: Rule = {
  name: "input-default-to-constant",
  apply({ graph }) {
    if (graph.parent) return 0;
    const defaults = graph.inputs.filter((value) => value.initializer && !value.isGraphOutput);
    for (const value of defaults) graph.unlistInput(value);
    return defaults.length;
  },
};

export const dropUnusedInitializers: Rule = {
  name: "drop-unused-initializers",
  apply({ graph }) {
    return dropUnreadInitializers(graph);
  },
};

export const mergeEqualInitializers: Rule = {
  name: "merge-equal-initializers",
  async apply({ graph }) {
    const equal = new EqualTensors();
    const kept = new Map<Tensor, Value>();
    let count = 0;
    for (const value of graph.initializers) {
      if (!value.initializer || value.isGraphInput || value.isGraphOutput) continue;
      const tensor = await equal.first(value.initializer);
      const twin = kept.get(tensor);
      if (!twin) kept.set(tensor, value);
      else if (graph.replaceAllUses(value, twin)) {
        graph.removeValue(value);
        count++;
      }
    }
    return count;
  },
};
