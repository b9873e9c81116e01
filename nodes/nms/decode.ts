/** Reads one frame's outputs by a row of the decoder table into candidates, boxes in pixels of the network's input. */
import { DataType, dataTypeName } from "../../onnx/ir/dataType.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { halfToFloat } from "../../onnx/ir/tensor.ts";
import { type BoxGrid, decodeBoxes, findEndToEnd } from "../../onnx/kernels/boxes.ts";
import {
  type Candidates,
  createCandidates,
  findCandidates,
  type ScoreGrid,
  TooManyCandidates,
  type Wanted,
} from "../../onnx/kernels/candidates.ts";
import { UserError } from "../context.ts";
import {
  DECODER_NAMES,
  DECODERS,
  type Decoder,
  type DecoderName,
  fittingDecoders,
  gridsOf,
  type InputSize,
  type NamedDims,
  type Outputs,
  outputsFor,
} from "./decoders.ts";

/** More anchors than any detector has: a wrong shape is refused before memory is taken. */
const MAX_ANCHORS = 1_000_000;

export interface DecodePlan {
  readonly name: DecoderName;
  readonly classes: number;
  readonly endToEnd: boolean;
  /** Fills and returns the same candidates each time. */
  readonly decode: (tensors: HostTensors, wanted: Wanted) => Candidates;
}

/**
 * Chooses the decoder (`auto` by the shapes) and prepares its buffers. Throws `wrong-decoder` or `no-decoder`, with the
 * decoders that fit.
 */
export function planDecoding(wanted: DecoderName | "auto", tensors: HostTensors, input: InputSize): DecodePlan {
  const shapes = Object.entries(tensors).map(([name, { dims }]) => ({ name, dims }));
  const fitting = fittingDecoders(shapes, input);
  const name = wanted === "auto" ? fitting[0] : wanted;
  const decoder: Decoder | undefined = name && DECODERS[name];
  const outputs = decoder && outputsFor(decoder, shapes, input);
  if (!name || !decoder || !outputs || outputs.anchors > MAX_ANCHORS) {
    const target = decoder && outputsFor({ ...decoder, anchors: "any" }, shapes, input) ? "count" : "shape";
    throw refusal({ wanted, shapes, fitting, input, target });
  }
  const candidates = createCandidates();
  return {
    name,
    classes: outputs.classes,
    endToEnd: decoder.endToEnd === true,
    decode: (current, filter) => {
      const boxes = floatsOf(current, outputs.boxes);
      const scores = outputs.scores === outputs.boxes ? boxes : floatsOf(current, outputs.scores);
      const grid = boxGrid(decoder, outputs, { data: boxes, input });
      orTooMany(() => {
        if (decoder.endToEnd) findEndToEnd(boxes, filter.threshold, candidates);
        else findCandidates(scoreGrid(decoder, outputs, scores), filter, candidates);
      });
      decodeBoxes(grid, candidates);
      return candidates;
    },
  };
}

function orTooMany(find: () => void): void {
  try {
    find();
  } catch (error) {
    if (!(error instanceof TooManyCandidates)) throw error;
    throw new UserError("too-many-boxes", `In one frame ${error.message}.`, "Raise the score threshold.");
  }
}

function scoreGrid(decoder: Decoder, { anchors, classes, scores }: Outputs, data: Float32Array): ScoreGrid {
  const planar = decoder.layout === "channels-first";
  const width = planar ? anchors : 1;
  const anchorStep = planar ? 1 : (scores.dims[2] ?? 0);
  const skip = decoder.background ? 1 : 0;
  const { objectness } = decoder;
  return {
    data,
    anchors,
    classes,
    offset: (decoder.firstClass + skip) * width,
    anchorStep,
    classStep: width,
    ...(objectness && {
      objectness: {
        offset: objectness.channel * width,
        objectnessPower: objectness.power,
        classPower: objectness.classPower,
      },
    }),
  };
}

function boxGrid(decoder: Decoder, { anchors, boxes }: Outputs, at: { data: Float32Array; input: InputSize }): BoxGrid {
  const planar = decoder.layout === "channels-first";
  const step = planar ? anchors : 1;
  return {
    data: at.data,
    code: decoder.box,
    offset: decoder.firstBox * step,
    anchorStep: planar ? 1 : (boxes.dims[2] ?? 0),
    channelStep: step,
    rows: boxes.dims[2] ?? 1,
    columns: boxes.dims[3] ?? 1,
    inputWidth: at.input.inputWidth,
    inputHeight: at.input.inputHeight,
    grids: gridsOf(decoder, anchors, at.input) ?? [],
  };
}

function floatsOf(tensors: HostTensors, { name, dims }: NamedDims): Float32Array {
  const tensor = tensors[name];
  if (!tensor || tensor.dims.join() !== dims.join()) {
    throw new UserError(
      "changing-shapes",
      `Output "${name}" was [${dims.join(",")}] and is [${tensor?.dims.join(",") ?? "missing"}] for another frame.`,
      "Give all frames the same input size.",
    );
  }
  return toFloats(tensor, name);
}

export function toFloats(tensor: HostTensor, name: string): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data;
  if (tensor.dataType === DataType.FLOAT16 && tensor.data instanceof Uint16Array) {
    return Float32Array.from(tensor.data, halfToFloat);
  }
  throw new UserError(
    "output-type",
    `Output "${name}" is ${dataTypeName(tensor.dataType)}; boxes and scores are read from f32 or f16.`,
    "Keep the model's outputs in float.",
  );
}

interface Refusal {
  readonly wanted: DecoderName | "auto";
  readonly shapes: readonly NamedDims[];
  readonly fitting: readonly DecoderName[];
  readonly input: InputSize;
  readonly target: "count" | "shape";
}

function refusal({ wanted, shapes, fitting, input, target }: Refusal): UserError {
  const got = shapes.map(({ name, dims }) => `${name} [${dims.join(",")}]`).join(", ");
  const [fit] = fitting;
  if (wanted === "auto") {
    const known = DECODER_NAMES.map((name) => `${name} ${DECODERS[name].shape}`).join("; ");
    return new UserError(
      "no-decoder",
      `No decoder fits the outputs ${got} of a ${input.inputWidth} x ${input.inputHeight} input.`,
      `Known are: ${known}; classify [1, classes]. Choose one by name, or a model with such outputs.`,
    );
  }
  const why =
    target === "count" ? ` for a ${input.inputWidth} x ${input.inputHeight} input: the number of boxes differs` : "";
  return new UserError(
    "wrong-decoder",
    `The decoder ${wanted} reads ${DECODERS[wanted].shape}, but the outputs are ${got}${why}.`,
    fit ? `Set decoder to ${fit}.` : "Check the preprocess's width and height, or set decoder to auto.",
  );
}
