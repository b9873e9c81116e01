/**
 * Constants in one form: an initializer that nothing can change.
 *   Constant node            -> initializer
 *   input with initializer   -> initializer (a default that a caller may override in IR >= 4; it is a constant in all
 *                               models whose exporter wrote IR 3, and runtimes fold only what is one)
 *   unused initializer       -> nothing
 *   two equal initializers   -> one
 */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
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

/** Larger ones are compared only where they are one reference already. */
const COMPARE_BYTES = 1 << 20;

export const mergeEqualInitializers: Rule = {
  name: "merge-equal-initializers",
  async apply({ graph }) {
    const seen = new Map<string, Value[]>();
    let count = 0;
    for (const value of mergeable(graph)) {
      const tensor = value.initializer;
      if (!tensor) continue;
      const key = `${tensor.dataType}:${tensor.dims.join("x")}`;
      const twins = seen.get(key) ?? [];
      seen.set(key, twins);
      const twin = await findEqual(tensor, twins);
      if (!twin) twins.push(value);
      else if (graph.replaceAllUses(value, twin)) {
        graph.removeValue(value);
        count++;
      }
    }
    return count;
  },
};

function mergeable(graph: Graph): readonly Value[] {
  return graph.initializers.filter(
    (value) => !value.isGraphInput && !value.isGraphOutput && value.initializer && !value.initializer.strings,
  );
}

async function findEqual(tensor: Tensor, among: readonly Value[]): Promise<Value | undefined> {
  for (const value of among) if (value.initializer && (await equalTensors(tensor, value.initializer))) return value;
  return undefined;
}

async function equalTensors(a: Tensor, b: Tensor): Promise<boolean> {
  if (a === b || (a.ref && a.ref.source === b.ref?.source && a.ref.offset === b.ref.offset)) return true;
  if (a.byteLength !== b.byteLength || a.byteLength > COMPARE_BYTES) return false;
  const [x, y] = [await a.bytes(), await b.bytes()];
  return x.every((byte, i) => byte === y[i]);
}
