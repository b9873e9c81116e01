import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { type AttributeInput, Graph, Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { createOrtEvaluator } from "../../server/runners/ortEvaluator.ts";
import { noiseTensor } from "../../test/support/outputs.ts";
import { Judge } from "./judge.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "judge-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

interface Step {
  readonly opType: string;
  readonly domain?: string;
  readonly constant?: number;
  readonly attributes?: Record<string, AttributeInput>;
}

/** x [1, 4, 4] through the steps, one after the other. */
function chain(steps: readonly Step[], elemType: number = DataType.FLOAT): Model {
  const graph = new Graph("chain");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  model.opsetImports.set("custom", 1);
  let value = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 4, 4] });
  for (const [i, { opType, domain = "", constant, attributes = {} }] of steps.entries()) {
    const inputs = constant === undefined ? [value] : [value, graph.addInitializer("c", Tensor.f32([], [constant]))];
    value = graph
      .addNode({ opType, domain, inputs, outputs: [i === steps.length - 1 ? "y" : graph.freshName("v")], attributes })
      .output();
  }
  graph.addOutput(value);
  value.type = { elemType };
  return model;
}

const judged = (
  original: Model,
  candidate: Model,
  items: readonly HostTensors[] = [{ x: noiseTensor([1, 4, 4], 1) }],
) => {
  const evaluator = createOrtEvaluator({ tempDir });
  return new Judge({ original, items, given: false, evaluator, signal: new AbortController().signal }).of(candidate);
};

const relu = { opType: "Relu" };
const argMax = { opType: "ArgMax", attributes: { axis: 1, keepdims: 0 } };

describe("Judge", () => {
  it("takes what computes the same", async () => {
    expect(await judged(chain([relu]), chain([relu, relu]))).toMatchObject({ kind: "same", ties: [] });
  });

  it("does not take another value, another shape, another index", async () => {
    const scaled = await judged(chain([relu]), chain([relu, { opType: "Mul", constant: 1.001 }]));
    expect(scaled).toMatchObject({ kind: "wrong", what: expect.stringContaining("differs by 0.0010 of its norm") });
    const flat = await judged(chain([relu]), chain([relu, { opType: "Flatten" }]));
    expect(flat).toMatchObject({ kind: "wrong", what: expect.stringContaining("its shape is [1, 16], not [1, 4, 4]") });
    const other = await judged(chain([argMax], DataType.INT64), chain([{ opType: "Neg" }, argMax], DataType.INT64));
    expect(other).toMatchObject({ kind: "wrong", what: expect.stringMatching(/differs in \d of 4 elements/) });
  });

  it("compares indices exactly, and NaN with NaN", async () => {
    const indices = await judged(chain([argMax], DataType.INT64), chain([relu, argMax], DataType.INT64));
    expect(indices).toMatchObject({ kind: "same", outputs: { y: { unequal: 0, elements: 4 } } });
    const logs = await judged(chain([{ opType: "Log" }]), chain([{ opType: "Log" }, { opType: "Identity" }]));
    expect(logs).toMatchObject({ kind: "same" });
  });

  it("excuses a tie that the original itself breaks otherwise a millionth further", async () => {
    // 0.5 exactly stands between two whole numbers.
    const half = { x: { dataType: DataType.FLOAT, dims: [1, 4, 4], data: new Float32Array(16).fill(0.5) } };
    const round = { opType: "Floor" };
    const shift = (constant: number) => ({ opType: "Add", constant });
    const verdict = await judged(chain([shift(0.5), round]), chain([shift(0.4999999), round]), [half]);
    expect(verdict).toMatchObject({ kind: "same", ties: [expect.stringContaining("by itself")] });
  });

  it("names the operator that the runtime does not know, and says what it refuses of a result", async () => {
    const custom = chain([{ opType: "Warp", domain: "custom" }]);
    expect(await judged(custom, custom)).toEqual({
      kind: "unseen",
      why: "the runtime does not know its operator custom:Warp",
      wire: false,
    });
    expect(await judged(chain([relu]), custom)).toMatchObject({
      kind: "wrong",
      what: expect.stringContaining("the runtime refuses it"),
    });
  });
});
