/**
 * What quantization did to each layer, measured: both models run on the same inputs, layer outputs compared. Both run in
 * pieces, one after the other, and of each inner tensor only samples are kept in between, so that memory stays flat.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensor, HostTensors } from "../../ir/hostTensor.ts";
import { samplePositions } from "../../kernels/convSamples.ts";
import { PiecewiseRun } from "../calibrate/piecewiseRun.ts";
import { SqnrByName } from "./sqnrByName.ts";

/** Numbers of an inner tensor that are compared; of the model's outputs all are. */
const SAMPLES = 4096;
/** Of tensors that are seen at a time. */
const PIECE_BYTES = 2 ** 24;

/** SQNR by tensor name, dB; absent where the two were equal. Errors of earlier layers are in later ones. */
export async function measureSqnr(
  models: { readonly float: Model; readonly quantized: Model },
  names: readonly string[],
  frames: readonly HostTensors[],
  ctx: { readonly evaluator: Evaluator; readonly signal?: AbortSignal },
): Promise<ReadonlyMap<string, number>> {
  const { float: before, quantized: after } = models;
  const present = names.filter((name) => before.graph.values.has(name) && after.graph.values.has(name));
  const whole = new Set(before.graph.outputs.map(({ name }) => name));
  const wanted = new Set(present);
  await using float = await PiecewiseRun.open(before, present, { ...ctx, pieceBytes: PIECE_BYTES });
  await using quantized = await PiecewiseRun.open(after, present, { ...ctx, pieceBytes: PIECE_BYTES });
  const sums = new SqnrByName();
  for (const feeds of frames) {
    ctx.signal?.throwIfAborted();
    const kept: Record<string, HostTensor> = {};
    await float.run(feeds, (tensors) => {
      for (const [name, tensor] of Object.entries(tensors))
        if (wanted.has(name)) kept[name] = whole.has(name) ? copied(tensor) : sampled(tensor);
    });
    await quantized.run(feeds, (tensors) => {
      for (const [name, tensor] of Object.entries(tensors)) {
        const reference = kept[name];
        if (reference) sums.add({ [name]: reference }, { [name]: whole.has(name) ? tensor : sampled(tensor) });
        delete kept[name];
      }
    });
  }
  return sums.result();
}

/** The runtime's own memory goes when its piece has run. */
function copied(tensor: HostTensor): HostTensor {
  return { ...tensor, data: tensor.data.slice() };
}

function sampled(tensor: HostTensor): HostTensor {
  const { data } = tensor;
  if (data.length <= SAMPLES || !(data instanceof Float32Array)) return copied(tensor);
  const positions = samplePositions(data.length, SAMPLES, 1);
  const samples = new Float32Array(SAMPLES);
  for (const [i, position] of positions.entries()) samples[i] = data[position] ?? 0;
  return { ...tensor, dims: [SAMPLES], data: samples };
}
