/** One door to every form of quantization: chooses the layers, lets the form do its work, says what it did and why. */
import type { Model } from "../../ir/graph.ts";
import { type CalibrationTable, calibrationOf } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { isStreamed, quantizeBlockwise } from "./blockInt4.ts";
import { quantizeDynamically } from "./dynamicInt8.ts";
import { embeddingsOf, embeddingToBytes, embeddingToNibbles, type QuantizedEmbedding } from "./embeddings.ts";
import { equalise } from "./equalise.ts";
import { withEqualised } from "./equalisedTable.ts";
import { keepFloatReaders } from "./floatReaders.ts";
import { foldDivisions } from "./foldDivisions.ts";
import type { Format } from "./format.ts";
import { fuseDequantizedSilu } from "./fuseSilu.ts";
import { gainlessLayers } from "./gainless.ts";
import { convertToHalf } from "./halfPrecision.ts";
import type { LayerInputs } from "./layerInputs.ts";
import { type Layer, type LeftInFloat, nodeName, quantizableLayers } from "./layers.ts";
import { quantizeLayerWeights } from "./layerWeights.ts";
import { type LayoutName, layoutOf } from "./layout.ts";
import type { Placement } from "./placement.ts";
import { ownWeightSqnrDb } from "./predictSqnr.ts";
import { QuantizeError } from "./quantizeError.ts";
import { reasonForFloat } from "./reasonForFloat.ts";
import { requireNames } from "./requireNames.ts";
import { residualsAsSums } from "./residualSum.ts";
import type { RoundedInput } from "./roundedInputs.ts";
import { BF16, FP16, type ShortFloat } from "./shortFloat.ts";
import { designInt8, WEIGHT_LIMIT, writeInt8 } from "./staticInt8.ts";
import { storeWeight } from "./storedWeights.ts";

export interface QuantizeOptions {
  readonly format: Format;
  readonly layout: LayoutName;
  /** Names of nodes that stay in float. */
  readonly keepFloat: readonly string[];
  /** Layers whose own quantization leaves less than this many dB stay in float too, or at 8 bits where the others take 4. */
  readonly minSqnrDb: number;
  /** FP16: type of the model's inputs and outputs. */
  readonly io: "float32" | "float16";
  /** FP16: values that were seen to leave the half range, by name. */
  readonly beyond?: ReadonlySet<string> | undefined;
  /** INT4: weights under one scale. */
  readonly blockSize: number;
  readonly table?: CalibrationTable | undefined;
  /** INT4: size of the file up to which layers take 8 bits, MB; what spends it is `withinBudget`. */
  readonly maxMb?: number;
  /** INT4: what the layers multiply, where frames are at hand: weights are then rounded by it. */
  readonly inputs?: LayerInputs | undefined;
  /** INT4: bytes of weights from which on they are rounded as they are written, where there is nothing to choose by. */
  readonly streamFrom?: number;
  /** SQNR of each layer's own quantization where it was measured, dB by node name; else it is predicted. */
  readonly measured?: ReadonlyMap<string, number>;
  /** Layers that are to stay so too, for the outputs' sake. */
  readonly spared?: ReadonlySet<string>;
  /** Static INT8: where each layer computes; one that it names takes that form whatever the floors say. */
  readonly placement?: Placement;
  /** Static INT8: what layers read once their inputs are rounded, by layer name; with it biases take back that shift. */
  readonly seen?: ReadonlyMap<string, RoundedInput> | undefined;
  /** Whether weights are rounded by it too, together. */
  readonly byHessian?: boolean | undefined;
}

export interface LayerResult {
  readonly node: string;
  readonly opType: string;
  readonly bits: number;
  /** Name of the tensor that the layer gives, in the float model and in this one. */
  readonly output: string;
  /** What the layer would keep if it alone were quantized, dB. */
  readonly ownSqnrDb: number | undefined;
  /** Why it has more bits than the others. */
  readonly note?: string | undefined;
}

export interface QuantizeResult {
  readonly layers: readonly LayerResult[];
  /** Layers that could be quantized and are not, with the reason. */
  readonly kept: readonly LeftInFloat[];
  /** Everything else that stays in float, with the reason. */
  readonly left: readonly LeftInFloat[];
  /** Rewrites that the newer operator set asked for, by name. */
  readonly upgraded: Readonly<Record<string, number>>;
}

/** QuantizeLinear per axis came with this operator set. */
export const QDQ_OPSET = 13;

/** Changes the model, which `prepareForQuantization` has seen, in place. */
export async function quantize(model: Model, options: QuantizeOptions): Promise<QuantizeResult> {
  requireNames("keepFloat", options.keepFloat, model.graph.nodes.map(nodeName));
  return forms[options.format](model, options);
}

const forms: Record<Format, (model: Model, options: QuantizeOptions) => Promise<QuantizeResult>> = {
  int8: quantizeStatically,
  "int8-dynamic": quantizeByTheRun,
  int4: quantizeWeights,
  fp16: (model, options) => halve(model, options, FP16),
  bf16: (model, options) => halve(model, { ...options, io: "float32" }, BF16),
};

async function quantizeStatically(model: Model, options: QuantizeOptions): Promise<QuantizeResult> {
  const { table } = options;
  if (!table) {
    throw new QuantizeError(
      "no-calibration",
      "static INT8 needs the ranges of the activations",
      "Wire a calibrate node into the calibration input, or choose the format int8-dynamic.",
    );
  }
  const upgraded = upgradeOpset(model, QDQ_OPSET);
  const layout = layoutOf(options.layout);
  const { chosen, kept, left } = chooseLayers(model, options.keepFloat);
  const placed = (layer: Layer) => options.placement?.get(layer.name);
  const floats = chosen.filter((layer) => placed(layer) === "float");
  const stored = chosen.filter((layer) => placed(layer) === "weights");
  const candidates = chosen.filter((layer) => !floats.includes(layer) && !stored.includes(layer));
  const weighed = options.minSqnrDb > 0 ? candidates.filter((layer) => !placed(layer)) : [];
  const gainless = gainlessLayers(candidates, layout, weighed);
  let layers = candidates.filter((layer) => !gainless.has(layer));
  if (stored.length === 0) requireLayers(layers);
  const how = { ...options, table, layout };
  let design = await designInt8(model.graph, layers, how);
  const tooNoisy = new Map<string, LeftInFloat>();
  for (const { layer, predictedSqnrDb } of design.layers) {
    const reason = placed(layer) ? undefined : reasonForFloat(layer.name, predictedSqnrDb, options);
    if (reason) {
      const ownSqnrDb = options.measured?.get(layer.name) ?? predictedSqnrDb;
      tooNoisy.set(layer.name, { node: layer.name, opType: layer.node.opType, reason, ownSqnrDb });
    }
  }
  if (tooNoisy.size > 0) {
    layers = layers.filter(({ name }) => !tooNoisy.has(name));
    if (stored.length === 0) requireLayers(layers);
    design = await designInt8(model.graph, layers, how);
  }
  // Before the writing, which gives a graph output's name to the dequantized tensor.
  const written = new Set(design.layers.map(({ layer }) => layer.node));
  const inFloat = quantizableLayers(model.graph).layers.filter(({ node }) => !written.has(node));
  const described = design.layers.map(({ layer, predictedSqnrDb }) => ({
    ...describe(layer),
    bits: 8,
    ownSqnrDb: options.measured?.get(layer.name) ?? predictedSqnrDb,
  }));
  writeInt8(model.graph, design, layout);
  if (layout.activations === "asymmetric") await foldDivisions(model.graph);
  if (layout.fusesSilu) fuseDequantizedSilu(model);
  if (layout.roundsFloatWeights) await keepFloatReaders(model.graph, inFloat);
  return {
    layers: [...described, ...(await storeWeights(model, stored, table))],
    kept: [...kept, ...tooNoisy.values(), ...gainless.values(), ...floats.map(floatReason)],
    left,
    upgraded,
  };
}

/** Weights in 8 bits for layers that compute in float. */
async function storeWeights(
  model: Model,
  layers: readonly Layer[],
  table: CalibrationTable,
): Promise<readonly LayerResult[]> {
  const results: LayerResult[] = [];
  for (const layer of layers) {
    const weights = await quantizeLayerWeights(layer, {
      limit: WEIGHT_LIMIT,
      input: calibrationOf(table, layer.input.name),
    });
    const ownSqnrDb = ownWeightSqnrDb(layer, weights.noise, table);
    results.push({ ...describe(layer), bits: 8, ownSqnrDb, note: "weights alone: it computes in float" });
    storeWeight(model.graph, layer, weights);
  }
  return results;
}

/**
 * What a Mul must be worth where ranges are taken at each run. It reads its tensor once more; the range and the integers
 * of that tensor, which every run takes anyway, read it twice.
 */
const WORTH_A_MUL_DB = 2;

async function quantizeByTheRun(model: Model, options: QuantizeOptions): Promise<QuantizeResult> {
  if (options.layout === "tensorrt") {
    throw new QuantizeError(
      "dynamic-tensorrt",
      "TensorRT reads no DynamicQuantizeLinear: it has no dynamic quantization",
      "Choose the format int8 with a calibrate node, or the layout onnxruntime-x86.",
    );
  }
  const equalised = options.table && (await equalise(model.graph, options.table, WORTH_A_MUL_DB));
  const table = options.table && equalised && withEqualised(options.table, equalised);
  const { chosen, kept, left } = chooseLayers(model, options.keepFloat);
  const tables = embeddingsOf(model, options.keepFloat);
  const upgraded = tables.length > 0 ? upgradeOpset(model, QDQ_OPSET) : {};
  const result = await quantizeDynamically(model, chosen, { ...options, table });
  residualsAsSums(model.graph);
  if (result.layers.length === 0) requireLayers([]);
  const embedded = await Promise.all(tables.map((table) => embeddingToBytes(table)));
  return {
    layers: [
      ...result.layers.map(({ layer, ownSqnrDb }) => ({ ...describe(layer), bits: 8, ownSqnrDb })),
      ...embedded.map(describeEmbedding),
    ],
    kept: [...kept, ...result.left],
    left,
    upgraded: { ...upgraded, ...result.upgraded },
  };
}

async function quantizeWeights(model: Model, options: QuantizeOptions): Promise<QuantizeResult> {
  const { chosen, kept, left } = chooseLayers(model, options.keepFloat);
  const result = await quantizeBlockwise(model, chosen, options);
  // TensorRT knows no Gather from 4 bits; to unpack a whole table at each run would cost more than it saves.
  const tables = options.layout === "onnxruntime-x86" ? embeddingsOf(model, options.keepFloat) : [];
  const form = { block: options.blockSize, streams: isStreamed(chosen, options) };
  const embedded = await Promise.all(
    tables.map((table) =>
      options.spared?.has(nodeName(table.node)) ? embeddingToBytes(table) : embeddingToNibbles(table, form),
    ),
  );
  const finer = tables.some(({ node }) => options.spared?.has(nodeName(node)));
  const upgraded = finer ? { ...result.upgraded, ...upgradeOpset(model, QDQ_OPSET) } : result.upgraded;
  if (tables.length > 0) model.opsetImports.set("com.microsoft", 1);
  if (options.layout === "onnxruntime-x86") residualsAsSums(model.graph);
  return {
    layers: [
      ...result.layers.map(({ layer, ...found }) => ({ ...describe(layer), ...found })),
      ...embedded.map(describeEmbedding),
    ],
    kept,
    left,
    upgraded,
  };
}

async function halve(model: Model, options: QuantizeOptions, to: ShortFloat): Promise<QuantizeResult> {
  const { layers } = quantizableLayers(model.graph);
  const own = (name: string) => options.measured?.get(name);
  const judged = new Map(
    layers.map(({ name }) => [name, reasonForFloat(name, undefined, { ...options, simulated: to === BF16 })]),
  );
  const tooNoisy = layers.filter(({ name }) => judged.get(name));
  const keepFloat = new Set([...options.keepFloat, ...tooNoisy.map(({ name }) => name)]);
  const { left, upgraded } = await convertToHalf(model, { ...options, keepFloat, to });
  const floats = new Set(left.map(({ node }) => node));
  return {
    layers: layers
      .filter(({ name }) => !floats.has(name))
      .map((layer) => ({ ...describe(layer), bits: 16, ownSqnrDb: own(layer.name) })),
    kept: left
      .filter(({ node }) => judged.has(node))
      .map((kept) => ({ ...kept, reason: judged.get(kept.node) ?? kept.reason, ownSqnrDb: own(kept.node) })),
    left: left.filter(({ node }) => !judged.has(node)),
    upgraded,
  };
}

function chooseLayers(model: Model, keepFloat: readonly string[]) {
  const { layers, left } = quantizableLayers(model.graph);
  const chosen = layers.filter(({ name }) => !keepFloat.includes(name));
  requireLayers(chosen);
  const kept = layers
    .filter(({ name }) => keepFloat.includes(name))
    .map(({ name, node }) => ({ node: name, opType: node.opType, reason: "kept by the user" }));
  return { chosen, kept, left };
}

function requireLayers(layers: readonly Layer[]): void {
  if (layers.length > 0) return;
  throw new QuantizeError(
    "nothing-to-quantize",
    "no layer is left to quantize: each Conv, ConvTranspose, MatMul and Gemm is kept in float or has no constant f32 weight",
    "Take names out of keepFloat, lower minSqnrDb, or start from the FP32 model.",
  );
}

function floatReason({ name, node }: Layer): LeftInFloat {
  return { node: name, opType: node.opType, reason: "placed in float" };
}

function describeEmbedding({ node, output, bits, sqnrDb }: QuantizedEmbedding): LayerResult {
  return { node, opType: "Gather", bits, output, ownSqnrDb: sqnrDb };
}

function describe({ node, name, output }: Layer) {
  return { node: name, opType: node.opType, output: output.name };
}
