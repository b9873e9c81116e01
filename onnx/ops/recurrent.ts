/** Recurrent layers: X [sequence, batch, input], W and R [directions, gates * hidden, ...] (ONNX Operators.md, LSTM). */
import type { Dim } from "../ir/graph.ts";
import { numericProduct } from "./dims.ts";
import { elemTypeOf, type OpDef, shapeOf, tensor } from "./op.ts";

function recurrent(opType: string, gates: number, outputs: number): OpDef {
  return {
    opType,
    shape: (ctx) => {
      const { node } = ctx;
      const x = shapeOf(ctx, 0);
      const weights = shapeOf(ctx, 2);
      const elemType = elemTypeOf(ctx, 0);
      if (!x) return new Array(outputs).fill(tensor(elemType));
      const directions: Dim = node.string("direction") === "bidirectional" ? 2 : 1;
      const hidden: Dim = node.int("hidden_size") ?? weights?.[2] ?? null;
      const batchFirst = node.int("layout") === 1;
      const [steps = null, batch = null] = batchFirst ? [x[1], x[0]] : [x[0], x[1]];
      const all = batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
      const last = tensor(elemType, batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]);
      return [tensor(elemType, all), ...new Array(outputs - 1).fill(last)];
    },
    cost: (ctx) => {
      const [x, w, r] = [ctx.inputDims(0), ctx.inputDims(1), ctx.inputDims(2)];
      if (!x || !w || !r) return undefined;
      const samples = (x[0] ?? 0) * (x[1] ?? 0);
      const hidden = r[2] ?? 0;
      // Each sample goes through W and R whole; gates cost about four operations a hidden unit.
      return {
        macs: samples * (numericProduct(w) + numericProduct(r)),
        ops: samples * (w[0] ?? 1) * hidden * gates * 4,
      };
    },
  };
}

export const recurrentOps: readonly OpDef[] = [recurrent("RNN", 1, 2), recurrent("GRU", 3, 2), recurrent("LSTM", 4, 3)];
