/** Walks both streams frame by frame; sums only, so that any number of frames fits. */
import { DataType, dataTypeName } from "../../onnx/ir/dataType.ts";
import type { HostTensor } from "../../onnx/ir/hostTensor.ts";
import { halfToFloat } from "../../onnx/ir/tensor.ts";
import {
  type AgreementSums,
  addAgreement,
  agreementOf,
  createAgreementSums,
} from "../../onnx/kernels/tensorAgreement.ts";
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { TensorItem } from "../ports.ts";
import { lockstep } from "../streams.ts";
import { agreement } from "./schema.ts";

export const run = implementNode(agreement, async (ctx, { candidate, reference }) => {
  const sums = new Map<string, AgreementSums>();
  const idOf = (item: TensorItem) => item.frame.id;
  let frames = 0;
  for await (const [ours, theirs] of lockstep({ stream: candidate, idOf }, { stream: reference, idOf })) {
    ctx.signal.throwIfAborted();
    addFrame(sums, ours, theirs);
    ctx.progress(++frames, candidate.total ?? reference.total, "frames");
  }
  if (frames === 0) throw new UserError("no-frames", "There is no frame to compare.", "Feed at least one image.");
  const outputs = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, s]) => [name, agreementOf(s)]);
  const report = await ctx.artifacts.report({
    kind: "agreement",
    version: 1,
    provenance: "measured",
    frames,
    outputs: Object.fromEntries(outputs),
  });
  return { report };
});

function addFrame(sums: Map<string, AgreementSums>, ours: TensorItem, theirs: TensorItem): void {
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
    const total = sums.get(name) ?? createAgreementSums();
    sums.set(name, total);
    addAgreement(total, numbersOf(reference, name), numbersOf(candidate, name));
  }
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
