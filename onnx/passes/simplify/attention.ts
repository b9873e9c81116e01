/**
 * softmax(s * q k^T + mask) v -> Attention(q, k, v, mask), a standard operator since opset 23. With the heads made by
 * Reshape and Transpose from [batch, length, heads * size] and put together again, those go too; else q, k and v stay
 * [batch, heads, length, size].
 *
 * The operator lets a mask stand for all rows of the scores; ONNX Runtime wants a row for each, so such a mask is expanded.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { scaledBy } from "./layerScale.ts";
import { bypass, forEachNode, isOp, onlyReader, type Rule, writerOf } from "./rule.ts";

const SINCE = 23;
const HEADS_FIRST = "0,2,1,3";

interface Scores {
  readonly q: Value;
  readonly turnedKey: Value;
  readonly scale: number;
  readonly mask?: Value;
}

/** s * q k^T + mask, with the last two optional; nothing else may read a value on the way. */
function scoresOf(softmax: Node): Scores | undefined {
  let reader = softmax;
  let node = writerOf(softmax.input(0), "Add", "Mul", "Div", "MatMul");
  let mask: Value | undefined;
  if (node && isOp(node, "Add")) {
    if (onlyReader(node.output()) !== reader) return undefined;
    const sum = node;
    const [a, b] = sum.inputs;
    const product = writerOf(a, "MatMul", "Mul", "Div") ? a : b;
    mask = (product === a ? b : a) ?? undefined;
    [reader, node] = [sum, writerOf(product, "MatMul", "Mul", "Div")];
    if (!mask) return undefined;
  }
  let scale = 1;
  const scaled = scaledBy(node);
  if (node && scaled) {
    if (onlyReader(node.output()) !== reader) return undefined;
    scale = scaled.by;
    [reader, node] = [node, writerOf(scaled.x, "MatMul")];
  }
  if (!node || !isOp(node, "MatMul") || onlyReader(node.output()) !== reader || !(scale > 0)) return undefined;
  return { q: node.input(0), turnedKey: node.input(1), scale, ...(mask && { mask }) };
}

/** [batch, length, heads * size] behind Transpose(Reshape(...)) into [batch, heads, length, size]. */
function joined(value: Value, perm = HEADS_FIRST): Value | undefined {
  const transpose = writerOf(value, "Transpose");
  if (transpose?.ints("perm")?.join() !== perm) return undefined;
  const reshape = writerOf(transpose.inputs[0], "Reshape");
  const [x, target] = [reshape?.inputs[0], reshape?.inputs[1]?.constant?.numbers];
  if (!x || target?.length !== 4 || x.shape?.length !== 3 || reshape?.int("allowzero") === 1) return undefined;
  const [batch, , heads = 0, size = 0] = target;
  const keepsBatch = batch === 0 || batch === x.shape[0];
  return keepsBatch && heads > 0 && size > 0 && x.shape[2] === heads * size ? x : undefined;
}

/** The Reshape that puts the heads of a result together again. */
function joiningReader(result: Value, width: number): Node | undefined {
  const transpose = onlyReader(result);
  if (!transpose || !isOp(transpose, "Transpose") || transpose.ints("perm")?.join() !== HEADS_FIRST) return undefined;
  const reshape = onlyReader(transpose.output());
  const target = reshape && isOp(reshape, "Reshape") ? reshape.inputs[1]?.constant?.numbers : undefined;
  const keepsBatch = target?.length === 3 && (target[0] === 0 || target[0] === result.shape?.[0]);
  return keepsBatch && target[2] === width && reshape?.int("allowzero") !== 1 ? reshape : undefined;
}

/** k^T -> k, [batch, heads, length, size]. */
function turnedBack(graph: Graph, turned: Value, before: Node): Value | undefined {
  const transpose = writerOf(turned, "Transpose");
  const perm = transpose?.ints("perm")?.join();
  if (!transpose || (perm !== "0,1,3,2" && perm !== "0,2,3,1")) return undefined;
  if (perm === "0,1,3,2") return transpose.input(0);
  const outputs = [graph.freshName(`${turned.name}_key`)];
  const attributes = { perm: [0, 2, 1, 3] };
  const key = graph
    .addNode({ opType: "Transpose", inputs: [transpose.input(0)], outputs, attributes }, before)
    .output();
  const [batch = null, heads = null, size = null, length = null] = turned.shape ?? [];
  key.type = { elemType: DataType.FLOAT, shape: [batch, heads, length, size] };
  return key;
}

/** A mask with a row for each of q; a string says why it has none. */
function rowsOf(mask: Value, softmax: Node, before: Node): Value | string {
  const rows = softmax.input(0).shape?.at(-2);
  const shape = mask.shape;
  if (!shape || shape.length < 2 || mask.type?.elemType !== DataType.FLOAT) return "the mask's shape is not known";
  if (shape.at(-2) === rows && typeof rows !== "undefined" && rows !== null) return mask;
  // The rows of self-attention are as many as its columns, whose number the mask itself tells.
  if (shape.at(-2) !== 1 || rows === null || rows !== shape.at(-1)) return "the mask has not a row for each query";
  const { graph } = softmax;
  const op = (opType: string, inputs: readonly Value[], more = {}) =>
    graph
      .addNode({ opType, inputs, outputs: [graph.freshName(`${mask.name}_rows`)], attributes: more }, before)
      .output();
  const one = graph.addInitializer("one", Tensor.i64([1], [1]));
  const length = op("Shape", [mask], { start: -1 });
  return op("Expand", [mask, op("Concat", [length, one], { axis: 0 })]);
}

export const fuseAttention: Rule = {
  name: "fuse-attention",
  apply({ graph, opset, note }) {
    return forEachNode(graph, (softmax) => {
      if (!isOp(softmax, "Softmax")) return false;
      const scores = scoresOf(softmax);
      const product = onlyReader(softmax.output());
      const rank = softmax.output().shape?.length;
      const last = (softmax.int("axis") ?? -1) === -1 || softmax.int("axis") === 3;
      if (!scores || !product || !isOp(product, "MatMul") || product.inputs[0] !== softmax.output()) return false;
      if (opset < SINCE || rank !== 4 || !last || product.output().type?.elemType !== DataType.FLOAT) {
        note(softmax, opset < SINCE ? `Attention comes with opset ${SINCE}; this is ${opset}` : "no f32 heads apart");
        return false;
      }
      return fuse(softmax, product, scores, (reason) => note(softmax, reason));
    });
  },
};

function fuse(softmax: Node, product: Node, scores: Scores, left: (reason: string) => void): boolean {
  const { graph } = softmax;
  const { q, turnedKey, scale, mask } = scores;
  const value = product.input(1);
  const heads = q.shape?.[1];
  if (typeof heads !== "number" || value.shape?.[1] !== heads || turnedKey.shape?.[1] !== heads) {
    left("the number of heads is not known");
    return false;
  }
  if (!["0,1,3,2", "0,2,3,1"].includes(writerOf(turnedKey, "Transpose")?.ints("perm")?.join() ?? "")) {
    left("the key is not turned by a Transpose");
    return false;
  }
  const rows = mask && rowsOf(mask, softmax, softmax);
  if (typeof rows === "string") {
    left(rows);
    return false;
  }
  const flatKey = joined(turnedKey, "0,2,3,1") ?? joined(writerOf(turnedKey, "Transpose")?.inputs[0] ?? turnedKey);
  const flat = [joined(q), flatKey, joined(value)];
  const width = flat[2]?.shape?.[2];
  const end = typeof width === "number" ? joiningReader(product.output(), width) : undefined;
  const [fq, fk, fv] = flat;
  const whole = end && fq && fk && fv ? [fq, fk, fv] : undefined;
  const at = whole && end ? end : product;
  const key = whole ? undefined : turnedBack(graph, turnedKey, softmax);
  const inputs = whole ?? (key ? [q, key, value] : []);
  const fused = graph.addNode(
    {
      opType: "Attention",
      name: softmax.name,
      inputs: [...inputs, ...(rows ? [rows] : [])],
      outputs: [graph.freshName(`${at.output().name}_attention`)],
      attributes: { scale: { float: scale }, ...(whole && { q_num_heads: heads, kv_num_heads: heads }) },
    },
    at,
  );
  fused.output().type = at.output().type;
  return bypass(at, fused.output());
}
