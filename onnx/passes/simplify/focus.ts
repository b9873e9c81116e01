/**
 * Conv(Concat(x[:, :, a_i::s, b_i::s])) -> Conv(x) with a kernel s times as large and stride s.
 *
 * Each part reads x at every s-th row and column from an offset; the Conv's tap (ky, kx) on part i reads x at
 * (s * ky + a_i, s * kx + b_i). So W'[m, c, s ky + a_i, s kx + b_i] = W[m, i C + c, ky, kx], zero elsewhere, with pads
 * times s. That is the stem of YOLO models (Focus, SpaceToDepth): the same sums, without moving the picture first.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { forEachNode, isOp, onlyReader, type Rule, staticShape, writerOf } from "./rule.ts";

interface Phase {
  readonly x: Value;
  readonly row: number;
  readonly column: number;
  readonly step: number;
}

/** A slice of every s-th row and column up to the end; undefined for any other. */
function phaseOf(value: Value | null): Phase | undefined {
  const slice = writerOf(value, "Slice");
  const x = slice?.inputs[0];
  const ints = (index: number) => slice?.inputs[index]?.constant?.numbers;
  const [starts, axes, steps] = [ints(1), ints(3), ints(4)];
  const [dims, sizes] = [x && staticShape(x), value && staticShape(value)];
  if (!x || !starts || !axes || !steps || dims?.length !== 4 || !sizes) return undefined;
  const at = (axis: number) => axes.findIndex((a) => (a < 0 ? a + 4 : a) === axis);
  const [rows, columns] = [at(2), at(3)];
  const [step, row, column] = [steps[rows], starts[rows], starts[columns]];
  if (axes.length !== 2 || step === undefined || step < 2 || steps[columns] !== step) return undefined;
  if (row === undefined || column === undefined || row < 0 || column < 0 || row >= step || column >= step)
    return undefined;
  const [, , h = 0, w = 0] = dims;
  if (h % step !== 0 || w % step !== 0 || sizes[2] !== h / step || sizes[3] !== w / step) return undefined;
  return { x, row, column, step };
}

/** Equal x and step, different offsets; undefined where the parts do not belong together. */
function phasesOf(concat: Node | undefined): readonly [Phase, ...Phase[]] | undefined {
  if (concat?.int("axis") !== 1 || onlyReader(concat.output()) === undefined) return undefined;
  const [first, ...rest] = concat.inputs.map(phaseOf).filter((phase) => phase !== undefined);
  if (!first || rest.length !== concat.inputs.length - 1) return undefined;
  const together = rest.every((phase) => phase.x === first.x && phase.step === first.step);
  return together ? [first, ...rest] : undefined;
}

/** Why the Conv cannot take the slices in; undefined where it can. */
function refusal(conv: Node): string | undefined {
  const ones = (name: string) => (conv.ints(name) ?? []).every((x) => x === 1);
  if ((conv.int("group") ?? 1) !== 1) return "the Conv has groups";
  if (!ones("strides") || !ones("dilations")) return "the Conv has strides or dilations";
  if ((conv.string("auto_pad") ?? "NOTSET") !== "NOTSET") return "the Conv works out its own pads";
  if (conv.input(1).initializer?.dataType !== DataType.FLOAT || conv.input(1).isGraphInput)
    return "the weight is no f32 constant";
  return undefined;
}

async function spread(weight: Tensor, phases: readonly Phase[], step: number): Promise<Tensor> {
  const [m = 0, c = 0, kh = 0, kw = 0] = weight.dims;
  const channels = c / phases.length;
  const [height, width] = [kh * step, kw * step];
  const from = await weight.floats();
  const to = new Float32Array(m * channels * height * width);
  for (const [at, w] of from.entries()) {
    const kx = at % kw;
    const ky = Math.floor(at / kw) % kh;
    const channel = Math.floor(at / (kw * kh)) % c;
    const out = Math.floor(at / (kw * kh * c));
    const phase = phases[Math.floor(channel / channels)];
    if (!phase) continue;
    const plane = out * channels + (channel % channels);
    const index = (plane * height + ky * step + phase.row) * width + kx * step + phase.column;
    to[index] = (to[index] ?? 0) + w;
  }
  return Tensor.f32([m, channels, height, width], to);
}

export const fuseFocusIntoConv: Rule = {
  name: "fuse-focus-into-conv",
  apply({ graph, note }) {
    return forEachNode(graph, async (node) => {
      const phases = isOp(node, "Conv") ? phasesOf(writerOf(node.inputs[0], "Concat")) : undefined;
      if (!phases) return false;
      const weight = node.input(1).initializer;
      const reason = refusal(node);
      if (reason || weight?.dims.length !== 4) {
        note(node, reason ?? "the Conv has not two spatial axes");
        return false;
      }
      const { x, step } = phases[0];
      const large = await spread(weight, phases, step);
      node.setInput(0, x);
      node.setInput(1, graph.addInitializer(node.input(1).name, large));
      node.set("kernel_shape", large.dims.slice(2));
      node.set("strides", [step, step]);
      node.set(
        "pads",
        (node.ints("pads") ?? [0, 0, 0, 0]).map((pad) => pad * step),
      );
      return true;
    });
  },
};
