/**
 * Conv(Pad(x, p)) -> Conv(x) with p added to its own pads, where Pad writes zeros around the spatial axes only.
 * AveragePool(Pad(x, p)) -> AveragePool(x) likewise, counting the padding; its own pads must be none or counted too,
 * and all together smaller than its window.
 * MaxPool does not take a Pad in: it pads with -infinity, not zero.
 */
import type { Node } from "../../ir/graph.ts";
import { forEachNode, isOp, onlyReader, type Rule, writerOf } from "./rule.ts";

/** Pads of each axis as [begin..., end...]; a string says why they cannot move into a Conv. */
function zeroPads(pad: Node, rank: number): readonly number[] | string {
  if ((pad.string("mode") ?? "constant") !== "constant") return "it pads with other values than a constant";
  const fill = pad.inputs[2] ? pad.inputs[2].constant?.numbers : [pad.float("value") ?? 0];
  if (!fill?.every((value) => value === 0)) return "it pads with another value than zero";
  const given = pad.ints("pads") ?? pad.inputs[1]?.constant?.numbers;
  const axes = pad.inputs[3] ? pad.inputs[3].constant?.numbers : Array.from({ length: rank }, (_, i) => i);
  if (!given || !axes || given.length !== 2 * axes.length) return "it pads by a computed amount";
  const pads = new Array<number>(2 * rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    const at = axis < 0 ? axis + rank : axis;
    pads[at] = given[i] ?? 0;
    pads[at + rank] = given[i + axes.length] ?? 0;
  }
  if (pads.some((p) => p < 0)) return "it crops";
  if ([0, 1, rank, rank + 1].some((i) => pads[i] !== 0)) return "it pads the batch or the channels";
  return pads;
}

/** Why the layer cannot take the padding over; undefined where it can. */
function refusal(layer: Node, pad: Node): string | undefined {
  const autoPad = layer.string("auto_pad") ?? "NOTSET";
  if (autoPad !== "NOTSET" && autoPad !== "VALID") return "the layer works out its own pads";
  if (onlyReader(pad.output()) !== layer) return "the padded value is read elsewhere too";
  if (!isOp(layer, "AveragePool")) return undefined;
  if (layer.int("ceil_mode") === 1) return "the pool's last window may lie outside";
  const padsItself = layer.ints("pads")?.some((p) => p !== 0) ?? false;
  return padsItself && layer.int("count_include_pad") !== 1 ? "the pool does not count its own padding" : undefined;
}

/** Runtimes refuse a pool whose window may lie in the padding alone. */
function poolTakes(layer: Node, pads: readonly number[]): boolean {
  const window = layer.ints("kernel_shape") ?? [];
  return !isOp(layer, "AveragePool") || pads.every((p, i) => p < (window[i % window.length] ?? 0));
}

export const fusePadIntoLayer: Rule = {
  name: "fuse-pad-into-layer",
  apply({ graph, note }) {
    return forEachNode(graph, (node) => {
      const pad = isOp(node, "Conv", "AveragePool") ? writerOf(node.inputs[0], "Pad") : undefined;
      const rank = pad?.output().shape?.length;
      if (!pad || rank === undefined) return false;
      const pads = zeroPads(pad, rank);
      const reason = typeof pads === "string" ? pads : refusal(node, pad);
      if (typeof pads === "string" || reason) {
        note(pad, reason ?? "");
        return false;
      }
      const own = node.ints("pads") ?? new Array<number>(2 * (rank - 2)).fill(0);
      const spatial = [...pads.slice(2, rank), ...pads.slice(rank + 2)].map((p, i) => p + (own[i] ?? 0));
      if (!poolTakes(node, spatial)) {
        note(pad, "a pool's padding must be smaller than its window");
        return false;
      }
      node.attributes.delete("auto_pad");
      if (isOp(node, "AveragePool")) node.set("count_include_pad", 1);
      node.set("pads", spatial);
      node.setInput(0, pad.input(0));
      graph.removeNode(pad);
      return true;
    });
  },
};
