/** Walks both streams frame by frame; sums only, so that any number of frames fits. */
import { DataType, dataTypeName } from "../../onnx/ir/dataType.ts";
import type { HostTensor } from "../../onnx/ir/hostTensor.ts";
import { halfToFloat } from "../../onnx/ir/tensor.ts";
import {
  type AgreementSums,
  addAgreement,
  addSums,
  agreementOf,
  createAgreementSums,
} from "../../onnx/kernels/tensorAgreement.ts";
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { TensorItem } from "../ports.ts";
import { lockstep } from "../streams.ts";
import { meanPooled, type Numbers } from "./pool.ts";
import { agreement } from "./schema.ts";

/** What is kept of an output: sums over all frames, and the cosine of each frame by itself. */
interface Seen {
  readonly all: AgreementSums;
  cosines: number;
  cosineSum: number;
  cosineMin: number;
}

export const run = implementNode(agreement, async (ctx, { candidate, reference, inputs }, { pool }) => {
  const seen = new Map<string, Seen>();
  const idOf = (item: TensorItem) => item.frame.id;
  const outputs = lockstep({ stream: candidate, idOf }, { stream: reference, idOf });
  let frames = 0;
  for await (const [[ours, theirs], fed] of inputs ? withInputs(outputs, inputs) : without(outputs)) {
    ctx.signal.throwIfAborted();
    addFrame(seen, { ours, theirs, pooled: pool === "mean", mask: maskOf(fed) });
    ctx.progress(++frames, candidate.total ?? reference.total, "frames");
  }
  if (frames === 0) {
    throw new UserError("no-frames", "There is no frame to compare.", "Feed at least one image or example.");
  }
  const report = await ctx.artifacts.report({
    kind: "agreement",
    version: 1,
    provenance: "measured",
    frames,
    ...(pool !== "none" && { pool }),
    outputs: Object.fromEntries([...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, s]) => [name, figures(s)])),
  });
  return { report };
});

type Pair = readonly [TensorItem, TensorItem];

function withInputs(pairs: AsyncIterable<Pair>, inputs: AsyncIterable<TensorItem>) {
  return lockstep(
    { stream: pairs, idOf: ([ours]) => ours.frame.id },
    { stream: inputs, idOf: ({ frame }) => frame.id },
  );
}

async function* without(pairs: AsyncIterable<Pair>): AsyncGenerator<readonly [Pair, undefined]> {
  for await (const pair of pairs) yield [pair, undefined];
}

function maskOf(fed: TensorItem | undefined): Numbers | undefined {
  const mask = fed && Object.hasOwn(fed.tensors, "attention_mask") ? fed.tensors.attention_mask : undefined;
  return mask && { dims: mask.dims, data: numbersOf(mask, "attention_mask") };
}

function figures({ all, cosines, cosineSum, cosineMin }: Seen) {
  return { ...agreementOf(all), ...(cosines > 0 && { cosineMean: cosineSum / cosines, cosineMin }) };
}

interface Compared {
  readonly ours: TensorItem;
  readonly theirs: TensorItem;
  readonly pooled: boolean;
  readonly mask: Numbers | undefined;
}

function addFrame(seen: Map<string, Seen>, { ours, theirs, pooled, mask }: Compared): void {
  const names = Object.keys(theirs.tensors).sort();
  const others = Object.keys(ours.tensors).sort();
  if (names.join("\n") !== others.join("\n")) {
    throw new UserError(
      "different-outputs",
      `The candidate has the outputs ${others.join(", ")}, the reference ${names.join(", ")}.`,
      "Compare models with the same outputs.",
    );
  }
  for (const name of names) {
    const reference = theirs.tensors[name];
    const candidate = ours.tensors[name];
    if (!reference || !candidate) continue;
    if (reference.dims.join() !== candidate.dims.join()) {
      throw new UserError(
        "different-outputs",
        `Output "${name}" is [${candidate.dims.join(",")}] of the candidate, [${reference.dims.join(",")}] of the reference.`,
        "Give both models the same input size.",
      );
    }
    const total = seen.get(name) ?? { all: createAgreementSums(), cosines: 0, cosineSum: 0, cosineMin: 1 };
    seen.set(name, total);
    const of = (tensor: HostTensor) => {
      const numbers = { dims: tensor.dims, data: numbersOf(tensor, name) };
      return (pooled ? meanPooled(numbers, mask) : numbers).data;
    };
    addTensor(total, of(reference), of(candidate));
  }
}

function addTensor(total: Seen, reference: ArrayLike<number>, candidate: ArrayLike<number>): void {
  const frame = createAgreementSums();
  addAgreement(frame, reference, candidate);
  addSums(total.all, frame);
  const { cosine } = agreementOf(frame);
  if (cosine === undefined) return;
  total.cosines++;
  total.cosineSum += cosine;
  total.cosineMin = Math.min(total.cosineMin, cosine);
}

function numbersOf({ dataType, data }: HostTensor, name: string): ArrayLike<number> {
  if (dataType === DataType.FLOAT16 && data instanceof Uint16Array) return Float32Array.from(data, halfToFloat);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  if (dataType === DataType.BFLOAT16 || dataType > DataType.BFLOAT16) {
    throw new UserError(
      "output-type",
      `Output "${name}" is ${dataTypeName(dataType)}.`,
      "Compare float or integer outputs.",
    );
  }
  return data;
}
