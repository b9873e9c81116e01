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
    let count = 0;
    for (const alike of ofEqualShape(graph).values()) {
      const kept = new Map<string, Content[]>();
      for (const { value, tensor } of alike) {
        const content = { value, tensor, bytes: await smallBytes(tensor) };
        const key = sampleOf(content.bytes);
        const others = kept.get(key) ?? [];
        kept.set(key, others);
        const twin = others.find((other) => equalContent(content, other));
        if (!twin) others.push(content);
        else if (graph.replaceAllUses(value, twin.value)) {
          graph.removeValue(value);
          count++;
        }
      }
    }
    return count;
  },
};

interface Content {
  readonly value: Value;
  readonly tensor: Tensor;
  readonly bytes: Uint8Array | undefined;
}

/** Those of one type and shape together, where there are several. */
function ofEqualShape(graph: Graph): ReadonlyMap<string, { value: Value; tensor: Tensor }[]> {
  const found = new Map<string, { value: Value; tensor: Tensor }[]>();
  for (const value of graph.initializers) {
    const tensor = value.initializer;
    if (!tensor || tensor.strings || value.isGraphInput || value.isGraphOutput) continue;
    const key = `${tensor.dataType}:${tensor.dims.join("x")}`;
    const alike = found.get(key);
    if (alike) alike.push({ value, tensor });
    else found.set(key, [{ value, tensor }]);
  }
  for (const [key, alike] of found) if (alike.length === 1) found.delete(key);
  return found;
}

async function smallBytes(tensor: Tensor): Promise<Uint8Array | undefined> {
  return tensor.byteLength <= COMPARE_BYTES ? tensor.bytes() : undefined;
}

/** A few bytes from all over: equal contents have equal samples, and most others differ in theirs. */
function sampleOf(bytes: Uint8Array | undefined): string {
  if (!bytes) return "";
  const step = Math.max(1, Math.floor(bytes.length / 32));
  let sample = "";
  for (let i = 0; i < bytes.length; i += step) sample += `${bytes[i]},`;
  return sample;
}

function equalContent(a: Content, b: Content): boolean {
  const [x, y] = [a.tensor.ref, b.tensor.ref];
  if (a.tensor === b.tensor || (x && x.source === y?.source && x.offset === y.offset)) return true;
  return Boolean(a.bytes && b.bytes && a.bytes.every((byte, i) => byte === b.bytes?.[i]));
}
