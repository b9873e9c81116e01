/**
 * Cross-layer equalisation (Nagel et al. 2019, "Data-free quantization through weight equalization and bias correction";
 * for one reader, Xiao et al. 2022, "SmoothQuant"): channels of one tensor share a scale, and where their ranges differ
 * a lot the small ones drown in its steps. Each channel is divided by a factor, and the weights that read it take it up:
 *
 *   W x = (W f) (x / f)
 *
 * The division costs nothing where the layer before can take it: through Relu, LeakyRelu and pooling, which give f times as
 * much for f times as much, its rows are divided instead. Elsewhere (behind SiLU, Concat, Add) a Mul is written, and only
 * where it is worth what it costs. Exact in float but for the last digits.
 */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { overOutputs, roundingShare, timesInputs } from "../../kernels/channelScaling.ts";
import { type CalibrationTable, calibrationOf, type TensorCalibration } from "../calibrate/table.ts";
import { type Layer, quantizableLayers, soleReader } from "./layers.ts";
import { inputMoments } from "./layerWeights.ts";
import { replaceConstant } from "./replaceConstant.ts";
import { WEIGHT_LIMIT } from "./staticInt8.ts";

export interface Equalised {
  /** Name of the tensor before. */
  readonly tensor: string;
  /** What a quantizer then sees: the tensor itself, or what the new Mul gives. */
  readonly scaled: string;
  /** Names of the tensors between the layer that took the division and this one, divided as well. */
  readonly between: readonly string[];
  /** What each channel was divided by. */
  readonly factors: Float32Array;
  /** What rounding costs its readers less by this, dB, predicted. */
  readonly gainDb: number;
}

/** Below this a change is not worth the writing, dB. */
const LEAST_GAIN_DB = 0.2;
/** How much of the difference between channels is taken out; 0 is none. */
const SHARES = [0.25, 0.5, 0.75, 1] as const;
/** A channel that hardly ever speaks is not blown up without end. */
const SMALLEST_FACTOR = 1e-3;

const HOMOGENEOUS: readonly string[] = [
  "Relu",
  "LeakyRelu",
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "Identity",
  "Dropout",
];

/** Changes the graph in place; `table` speaks of it as it was. `mulDb` is what a Mul must be worth. */
export async function equalise(graph: Graph, table: CalibrationTable, mulDb: number): Promise<readonly Equalised[]> {
  const { layers } = quantizableLayers(graph);
  const layerOf = new Map(layers.map((layer) => [layer.node, layer]));
  const done: Equalised[] = [];
  for (const [value, names] of readersOf(layers)) {
    // Fresh for each tensor: the one before may have changed the weights.
    const readers = names.map((layer) => ({
      ...layer,
      weight: layer.node.input(layer.rule.weight).constant ?? layer.weight,
    }));
    const seen = calibrationOf(table, value.name);
    const before = absorbedBefore(value, layerOf);
    if (!before && mulDb === Number.POSITIVE_INFINITY) continue;
    const choice = seen && (await bestFactors(readers, seen));
    if (!choice) continue;
    const { factors, gainDb } = choice;
    if (gainDb < (before ? LEAST_GAIN_DB : mulDb)) continue;
    for (const layer of readers) await scaleInputs(layer, factors);
    if (before) await scaleOutputs(before.writer, factors);
    const scaled = before ? value : divide(value, readers, factors);
    done.push({ tensor: value.name, scaled: scaled.name, between: before?.between ?? [], factors, gainDb });
  }
  if (done.length > 0) graph.sortTopologically();
  return done;
}

function readersOf(layers: readonly Layer[]): ReadonlyMap<Value, readonly Layer[]> {
  const readers = new Map<Value, Layer[]>();
  for (const layer of layers) {
    if (layer.input.isGraphInput) continue;
    readers.set(layer.input, [...(readers.get(layer.input) ?? []), layer]);
  }
  return readers;
}

interface Choice {
  readonly factors: Float32Array;
  readonly gainDb: number;
}

/** Undefined where nothing is known of the channels, or equal scales serve best. */
async function bestFactors(readers: readonly Layer[], seen: TensorCalibration): Promise<Choice | undefined> {
  const { min, max, variance } = seen.channels;
  const [first] = readers;
  const moments = first && inputMoments(first, seen);
  if (!min || !max || !moments || readers.some((layer) => !inputMoments(layer, seen))) return undefined;
  const peaks = min.map((low, c) => Math.max(-low, max[c] ?? 0, 0));
  const most = Math.max(...peaks);
  if (!(most > 0)) return undefined;
  const weights = await Promise.all(readers.map((layer) => layer.weight.floats()));
  const shareOf = (factors: Float32Array) => {
    const at = { factors, peaks, second: moments.second, variance, limit: WEIGHT_LIMIT };
    return readers.reduce((sum, { view }, i) => sum + roundingShare(weights[i] ?? new Float32Array(), view, at), 0);
  };
  const without = shareOf(new Float32Array(peaks.length).fill(1));
  let best: Choice | undefined;
  for (const share of SHARES) {
    const factors = Float32Array.from(peaks, (peak) => Math.max(peak / most, SMALLEST_FACTOR) ** share);
    const gainDb = 10 * Math.log10(without / shareOf(factors));
    if (gainDb > (best?.gainDb ?? 0)) best = { factors, gainDb };
  }
  return best;
}

interface Absorbed {
  /** The layer whose rows can take the division. */
  readonly writer: Layer;
  readonly between: readonly string[];
}

/** Undefined where something between a layer and the readers does not give f times as much for f times as much. */
function absorbedBefore(value: Value, layers: ReadonlyMap<Node, Layer>): Absorbed | undefined {
  const readByLayers = value.uses.every(({ node }) => layers.get(node)?.input === value);
  if (!readByLayers || value.isGraphOutput) return undefined;
  const between: string[] = [];
  let at = value;
  for (let node = at.producer; node; node = at.producer) {
    const writer = layers.get(node);
    if (writer) return writer.view.outputAxis === undefined ? undefined : { writer, between };
    if (!HOMOGENEOUS.includes(node.opType) || node.output() !== at) return undefined;
    at = node.input(0);
    between.push(at.name);
    if (soleReader(at) !== node) return undefined;
  }
  return undefined;
}

async function scaleInputs({ node, rule, weight, view }: Layer, factors: Float32Array): Promise<void> {
  write(node, rule.weight, Tensor.f32(weight.dims, timesInputs(await weight.floats(), view, factors)));
}

async function scaleOutputs({ node, rule, view }: Layer, factors: Float32Array): Promise<void> {
  const weight = node.input(rule.weight).constant;
  if (weight) write(node, rule.weight, Tensor.f32(weight.dims, overOutputs(await weight.floats(), view, factors)));
  const bias = rule.bias === undefined ? undefined : await node.inputs[rule.bias]?.constant?.floats();
  if (!bias || rule.bias === undefined) return;
  write(
    node,
    rule.bias,
    Tensor.f32(
      [bias.length],
      Float32Array.from(bias, (b, c) => b / (factors[c] ?? 1)),
    ),
  );
}

function write(node: Node, index: number, tensor: Tensor): void {
  replaceConstant(node, index, node.graph.addInitializer(`${node.input(index).name}_e`, tensor));
}

/** A Mul before the readers; other readers keep the tensor as it is. */
function divide(value: Value, readers: readonly Layer[], factors: Float32Array): Value {
  const [first] = readers;
  if (!first) throw new Error("nothing reads the tensor");
  const { graph } = value;
  const trailing = first.rule.channelAxis === 1 ? first.weight.dims.slice(2).map(() => 1) : [];
  const inverse = Tensor.f32(
    [factors.length, ...trailing],
    factors.map((f) => 1 / f),
  );
  const by = graph.addInitializer(`${value.name}_by`, inverse);
  const name = graph.freshName(`${value.name}_equal`);
  const scaled = graph.addNode({ opType: "Mul", name, inputs: [value, by], outputs: [name] }, first.node).output();
  for (const { node, rule } of readers) node.setInput(rule.activation, scaled);
  return scaled;
}
