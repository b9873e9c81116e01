import { describe, expect, it } from "vitest";
import { Graph, Model } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { type Condition, type Pass, PassError, runPasses } from "./pass.ts";

function relu(): Model {
  const graph = new Graph("g");
  const x = graph.addInput("x", { elemType: 1, shape: [1] });
  graph.addOutput(graph.addNode({ opType: "Relu", inputs: [x], outputs: ["y"] }).output());
  return new Model(graph);
}

const pass = (name: string, run: (model: Model) => void, conditions: Partial<Pass> = {}): Pass => ({
  name,
  ...conditions,
  run: async (model) => {
    run(model);
    return { applied: { [name]: 1 }, notes: [] };
  },
});
const noRelu: Condition = {
  name: "no-relu",
  check: ({ graph }) =>
    graph.nodes.some(({ opType }) => opType === "Relu")
      ? { message: "there is a Relu", fix: "Take it out." }
      : undefined,
};
const toNeg = (model: Model) => {
  for (const node of model.graph.nodes) node.opType = "Neg";
};
const failure = async (passes: readonly Pass[]) => runPasses(relu(), passes).catch((error: unknown) => error);

describe("runPasses", () => {
  it("runs them in order and gives what each did", async () => {
    const order: string[] = [];
    const results = await runPasses(relu(), [
      pass("one", () => order.push("one")),
      pass("two", () => order.push("two"), { requires: [] }),
    ]);
    expect(order).toEqual(["one", "two"]);
    expect(results).toEqual([
      { pass: "one", applied: { one: 1 }, notes: [] },
      { pass: "two", applied: { two: 1 }, notes: [] },
    ]);
  });

  it("stops before a pass whose conditions do not hold, with the way to mend it", async () => {
    const ran: string[] = [];
    const error = await failure([pass("picky", () => ran.push("picky"), { requires: [noRelu] })]);
    expect(error).toBeInstanceOf(PassError);
    expect(error).toMatchObject({
      code: "pass-requires",
      pass: "picky",
      message: "picky: there is a Relu",
      fix: "Take it out.",
    });
    expect(ran).toEqual([]);
    const results = await runPasses(relu(), [pass("neg", toNeg), pass("picky", () => {}, { requires: [noRelu] })]);
    expect(results.length).toBe(2);
  });

  it("holds a pass to what it ensures, and to a sound graph", async () => {
    expect(await failure([pass("idle", () => {}, { ensures: [noRelu] })])).toMatchObject({ code: "pass-ensures" });
    const spoil = pass("spoil", ({ graph }) => void graph.nodes.pop());
    expect(await failure([spoil, pass("next", () => {})])).toMatchObject({ code: "pass-broke-model", pass: "spoil" });
  });

  it("takes out what a pass no longer reads, not what was a caller's to give", async () => {
    const model = relu();
    const given = model.graph.listInput(model.graph.addInitializer("given", Tensor.f32([1], Float32Array.of(1))));
    const replace = pass("replace", ({ graph }) => {
      graph.addInitializer("left", Tensor.f32([2], Float32Array.of(1, 2)));
    });
    await runPasses(model, [replace]);
    expect(model.graph.initializers).toEqual([given]);
  });

  it("ends when it is told to", async () => {
    const abort = new AbortController();
    const first = pass("first", () => abort.abort(new Error("enough")));
    const run = runPasses(relu(), [first, pass("second", () => {})], { signal: abort.signal });
    await expect(run).rejects.toThrow("enough");
  });
});
