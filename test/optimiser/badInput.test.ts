/**
 * What the optimiser's nodes do with what nobody should give them: each either does what can be done, leaves the rest
 * alone and lists it, or says what is wrong and how to mend it. Never a crash, never integers made of nonsense.
 */
import { describe, expect, it } from "vitest";
import { run as autotune } from "../../nodes/autotune/run.ts";
import { run as calibrate } from "../../nodes/calibrate/run.ts";
import type { ArtifactRef, TensorItem } from "../../nodes/ports.ts";
import { run as prune } from "../../nodes/prune/run.ts";
import { quantizeReport } from "../../nodes/quantize/report.ts";
import { run as quantize } from "../../nodes/quantize/run.ts";
import { run as simplify } from "../../nodes/simplify/run.ts";
import { streamOf } from "../../nodes/streams.ts";
import type { Value } from "../../onnx/ir/graph.ts";
import type { HostTensor } from "../../onnx/ir/hostTensor.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { FORMATS, type Format } from "../../onnx/passes/quantize/format.ts";
import { LAYOUTS } from "../../onnx/passes/quantize/layout.ts";
import { branching, looping } from "../support/controlFlowNets.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../support/runNode.ts";
import { CHANNELS, type NetWriter, smallInput, smallNet } from "../support/smallNets.ts";

const relu = (x: Value, net: NetWriter) => net.node("Relu", [x]);

function custom(x: Value, { graph, model }: NetWriter): Value {
  model.opsetImports.set("acme", 1);
  return graph.addNode({ opType: "Sparkle", domain: "acme", name: "sparkle", inputs: [x], outputs: ["s"] }).output();
}

const scalar = (net: NetWriter, value: number) => net.constant([], [value]);
const nets = {
  plain: () => smallNet(relu),
  "NaN in a weight": () =>
    smallNet((x, net) =>
      relu(
        net.conv(x, (w) => w.fill(Number.NaN, 3, 4)),
        net,
      ),
    ),
  "an infinity in a weight": () =>
    smallNet((x, net) =>
      relu(
        net.conv(x, (w) => w.fill(Number.POSITIVE_INFINITY, 3, 4)),
        net,
      ),
    ),
  "NaN activations": () => smallNet((x, net) => net.node("Sqrt", [net.node("Sub", [x, scalar(net, 100)])])),
  "infinite activations": () =>
    smallNet((x, net) => net.node("Exp", [net.node("Add", [relu(x, net), scalar(net, 100)])])),
  "a tensor that is always zero": () =>
    smallNet((x, net) => relu(net.node("Sub", [relu(x, net), scalar(net, 1e4)]), net)),
  "a tensor of one value": () =>
    smallNet((x, net) => net.node("Add", [net.node("Mul", [x, scalar(net, 0)]), scalar(net, 3)])),
  "a dead channel": () =>
    smallNet((x, net) =>
      relu(
        net.conv(x, (w) => w.fill(0, 0, CHANNELS)),
        net,
      ),
    ),
  "weights of zero": () =>
    smallNet((x, net) =>
      relu(
        net.conv(x, (w) => w.fill(0)),
        net,
      ),
    ),
  "a dynamic batch": () => smallNet(relu, { batch: "N" }),
  "control flow": () => smallNet(branching),
  "a loop": () => smallNet(looping),
  "a custom operator": () => smallNet(custom),
  "an operator without rules": () => smallNet((x, net) => net.node("Shrink", [net.node("LpNormalization", [x])])),
} satisfies Record<string, () => Promise<Uint8Array>>;
type Net = keyof typeof nets;

function items(tensors: readonly HostTensor[]) {
  return streamOf(
    tensors.map(
      (tensor, index): TensorItem => ({
        frame: { id: `${index}.jpg`, index, width: 6, height: 6 },
        tensors: { "": tensor },
      }),
    ),
  );
}

const images = () => items(Array.from({ length: 8 }, (_, i) => smallInput(i + 1)));

/** The nodes on one model, in a workspace. */
class Bench {
  constructor(
    private readonly workspace: NodeWorkspace,
    readonly model: ArtifactRef<"model">,
  ) {}

  calibrate(tensors = images()) {
    return this.workspace.run(calibrate, { inputs: { model: this.model, tensors, before: undefined } });
  }

  async calibration() {
    const { calibration } = (await this.calibrate()).outputs;
    if (!calibration) throw new Error("no calibration");
    return calibration;
  }

  async quantize(params: Parameters<typeof quantize.def.params.parse>[0] & object, seen: Seen = {}) {
    const { calibration, tensors } = { calibration: undefined, tensors: undefined, ...seen };
    const run = await this.workspace.run(quantize, { inputs: { model: this.model, calibration, tensors }, params });
    const { model, report } = run.outputs;
    if (!model || !report) throw new Error("an output is missing");
    await this.opens(model);
    return { ...run, model, report: quantizeReport.parse(await this.workspace.artifacts.readJson(report)) };
  }

  prune(tensors?: ReturnType<typeof images>, params = {}) {
    return this.workspace.run(prune, { inputs: { model: this.model, tensors }, params: { multiple: 1, ...params } });
  }

  simplify(tensors?: ReturnType<typeof images>) {
    return this.workspace.run(simplify, { inputs: { model: this.model, tensors } });
  }

  autotune() {
    const inputs = { model: this.model, tensors: images(), settings: undefined, images: undefined };
    return this.workspace.run(autotune, { inputs });
  }

  /** The runtime takes the model, and gives numbers where the original did. */
  async opens(ref: ArtifactRef<"model">): Promise<void> {
    const check = await this.workspace.run(simplify, { inputs: { model: ref, tensors: undefined } });
    expect(check.outputs.model).toBeDefined();
  }
}

interface Seen {
  readonly calibration?: ArtifactRef<"calibration"> | undefined;
  readonly tensors?: ReturnType<typeof images> | undefined;
}

async function on<T>(net: Net | Uint8Array, body: (bench: Bench, workspace: NodeWorkspace) => Promise<T>): Promise<T> {
  await using workspace = await openNodeWorkspace();
  const bytes = typeof net === "string" ? await nets[net]() : net;
  return await body(new Bench(workspace, await workspace.artifacts.put("model", bytes)), workspace);
}

const refusal = (code: string, message: RegExp, fix: RegExp) => ({
  code,
  message: expect.stringMatching(message),
  fix: expect.stringMatching(fix),
});

describe("a model that is quantized already", () => {
  it("is refused where integers would be made of integers; half precision, prune and simplify take it", async () => {
    await on("plain", async (bench, workspace) => {
      const { model } = await bench.quantize({ layout: "tensorrt" }, { calibration: await bench.calibration() });
      const again = new Bench(workspace, model);
      const wanted = refusal("already-quantized", /DequantizeLinear|QuantizeLinear/, /FP32 model/);
      await expect(again.calibrate()).rejects.toMatchObject(wanted);
      for (const format of ["int8", "int8-dynamic", "int4"] satisfies Format[]) {
        await expect(again.quantize({ format }), format).rejects.toMatchObject(wanted);
      }
      await expect(again.autotune()).rejects.toMatchObject(wanted);
      await again.quantize({ format: "fp16" });
      expect((await again.simplify()).warnings).toEqual([]);
      await expect(again.prune()).rejects.toMatchObject(
        refusal("already-quantized", /DequantizeLinear|QuantizeLinear/, /Prune before/),
      );
    });
  });
});

describe("no calibration", () => {
  it("is asked for, and a stream without an image is told apart", async () => {
    await on("plain", async (bench) => {
      await expect(bench.quantize({ format: "int8" })).rejects.toMatchObject(
        refusal("no-calibration", /ranges of the activations/, /calibrate node/),
      );
      await expect(bench.calibrate(items([]))).rejects.toMatchObject(refusal("no-images", /no image/, /at least one/));
    });
  });

  it("of another model is refused by the name of the tensor it lacks", async () => {
    await using workspace = await openNodeWorkspace();
    const put = async (net: Net) => new Bench(workspace, await workspace.artifacts.put("model", await nets[net]()));
    const calibration = await (await put("plain")).calibration();
    await expect((await put("a dead channel")).quantize({}, { calibration })).rejects.toMatchObject(
      refusal("calibration-mismatch", /"\w+"/, /same model/),
    );
  });
});

describe("numbers that are none", () => {
  it.each(["NaN activations", "infinite activations"] satisfies Net[])("%s", async (net) => {
    await on(net, async (bench) => {
      const wanted = refusal("not-finite", /".*" holds a NaN or an infinity/, /preprocessing/);
      await expect(bench.calibrate()).rejects.toMatchObject(wanted);
      await expect(bench.quantize({ format: "fp16" }, { tensors: images() })).rejects.toMatchObject(wanted);
      await expect(bench.prune(images())).rejects.toMatchObject(wanted);
      await expect(bench.autotune()).rejects.toMatchObject(wanted);
      // What is no number in the same places is no difference.
      expect((await bench.simplify(images())).warnings).toEqual([]);
    });
  });

  it.each(["NaN in a weight", "an infinity in a weight"] satisfies Net[])("%s", async (net) => {
    await on(net, async (bench) => {
      const wanted = refusal("weight-not-finite", /"conv_\d+"/, /keepFloat/);
      for (const format of ["int8-dynamic", "int4"] satisfies Format[]) {
        await expect(bench.quantize({ format }), format).rejects.toMatchObject(wanted);
      }
      for (const params of [{ format: "fp16" }, { format: "bf16", layout: "tensorrt" }] as const) {
        await expect(bench.quantize(params), params.format).rejects.toMatchObject(wanted);
      }
      await expect(bench.calibrate()).rejects.toMatchObject({ code: "not-finite" });
      const { report } = await bench.quantize({ format: "int4", keepFloat: ["conv_3"] });
      expect(report.keptFloat).toEqual([expect.objectContaining({ node: "conv_3" })]);
    });
  });
});

describe("tensors and weights without a range", () => {
  const cases = ["a tensor that is always zero", "a tensor of one value", "a dead channel", "weights of zero"] as const;
  it.each(cases)("%s", { timeout: 60_000 }, async (net) => {
    await on(net, async (bench) => {
      const calibration = await bench.calibration();
      for (const layout of LAYOUTS) {
        await bench.quantize({ layout, minSqnrDb: 0 }, { calibration });
        const { report } = await bench.quantize({ layout }, { calibration, tensors: images() });
        for (const { sqnrDb } of Object.values(report.outputs ?? {})) expect(sqnrDb).toBeGreaterThan(20);
      }
      for (const format of ["int8-dynamic", "int4", "fp16"] satisfies Format[]) await bench.quantize({ format });
      await bench.prune();
      await bench.prune(images());
      await bench.prune(images(), { method: "unstructured" });
      expect((await bench.simplify(images())).warnings).toEqual([]);
      await bench.autotune();
    });
  });
});

describe("a dynamic batch", () => {
  it("is calibrated on batches of any size, quantized and pruned", { timeout: 60_000 }, async () => {
    await on("a dynamic batch", async (bench) => {
      const mixed = () => items([1, 3, 2, 1].map((batch, i) => smallInput(i + 1, batch)));
      const { calibration } = (await bench.calibrate(mixed())).outputs;
      for (const layout of LAYOUTS) await bench.quantize({ layout }, { calibration, tensors: mixed() });
      for (const format of ["int8-dynamic", "int4", "fp16"] satisfies Format[]) await bench.quantize({ format });
      await bench.prune(mixed());
      await bench.simplify(mixed());
      await expect(bench.autotune()).rejects.toMatchObject(refusal("dynamic-input", /"x"/, /inputShapes/));
    });
  });
});

describe("what no pass knows", () => {
  it.each([
    ["control flow", "If"],
    ["a loop", "Loop"],
  ] as const)(
    "%s stays as it is and is listed; around it integers are made",
    { timeout: 60_000 },
    async (net, opType) => {
      await on(net, async (bench) => {
        const calibration = await bench.calibration();
        for (const layout of LAYOUTS) {
          const { report } = await bench.quantize({ layout, minSqnrDb: 0 }, { calibration, tensors: images() });
          expect(report.notQuantized.map(({ opType }) => opType)).toContain(opType);
          expect(report.layers).toHaveLength(2);
        }
        for (const format of FORMATS.filter((f) => f !== "int8" && f !== "bf16")) {
          const { report } = await bench.quantize({ format });
          expect(report.notQuantized.map(({ opType }) => opType)).toContain(opType);
        }
        await expect(bench.prune(images())).rejects.toMatchObject(refusal("nothing-to-prune", /body/, /./));
        expect((await bench.simplify(images())).warnings).toEqual([]);
        await bench.autotune();
      });
    },
  );

  it("what stands before a loop is pruned, and the loop reads what it did", async () => {
    const bytes = await smallNet((x, net) => looping(net.conv(relu(x, net)), net));
    await on(bytes, async (bench) => {
      const { outputs } = await bench.prune(images());
      if (!outputs.model) throw new Error("no model");
      await bench.opens(outputs.model);
      expect(outputs.model.size).toBeLessThan(bench.model.size);
    });
  });

  it("an operator without rules is left alone and listed", { timeout: 60_000 }, async () => {
    await on("an operator without rules", async (bench) => {
      const calibration = await bench.calibration();
      for (const layout of LAYOUTS) {
        const { report } = await bench.quantize({ layout, minSqnrDb: 0 }, { calibration, tensors: images() });
        expect(report.notQuantized.map(({ opType }) => opType)).toEqual(
          expect.arrayContaining(["Shrink", "LpNormalization"]),
        );
      }
      await expect(bench.prune(images())).rejects.toMatchObject(refusal("nothing-to-prune", /LpNormalization/, /./));
      expect((await bench.simplify(images())).warnings).toEqual([]);
      await bench.autotune();
    });
  });

  it("a custom operator: weights can be stored smaller; what must run it says so", async () => {
    await on("a custom operator", async (bench, workspace) => {
      const wanted = refusal("runtime-refused", /acme:Sparkle/, /Replace the operator/);
      await expect(bench.calibrate()).rejects.toMatchObject(wanted);
      await expect(bench.autotune()).rejects.toMatchObject(wanted);
      expect((await bench.simplify(images())).warnings.join()).toMatch(/does not know its operator acme:Sparkle/);
      expect((await bench.simplify()).outputs.model).toBeDefined();
      for (const format of ["int8-dynamic", "int4", "fp16"] satisfies Format[]) {
        const inputs = { model: bench.model, calibration: undefined, tensors: undefined };
        const { outputs } = await workspace.run(quantize, { inputs, params: { format } });
        if (!outputs.report) throw new Error("no report");
        const report = quantizeReport.parse(await workspace.artifacts.readJson(outputs.report));
        expect(report.notQuantized, format).toContainEqual(expect.objectContaining({ opType: "Sparkle" }));
        expect(report.layers, format).toHaveLength(2);
      }
      await expect(bench.prune()).rejects.toMatchObject(refusal("nothing-to-prune", /Sparkle/, /./));
    });
  });

  it("a model of integers alone has nothing to calibrate", async () => {
    const bytes = await smallNet((x, net) => {
      const zero = net.graph.addInitializer("z", Tensor.of(2, [], new Uint8Array([128])));
      return net.node("DequantizeLinear", [
        net.node("QuantizeLinear", [x, scalar(net, 0.1), zero]),
        scalar(net, 0.1),
        zero,
      ]);
    });
    await on(bytes, async (bench) => {
      await expect(bench.calibrate()).rejects.toMatchObject({ code: "already-quantized" });
    });
  });
});

describe("few images, and very many", () => {
  it("one image is enough, and a warning", async () => {
    await on("plain", async (bench) => {
      const { outputs, warnings } = await bench.calibrate(items([smallInput(1)]));
      expect(outputs.calibration).toBeDefined();
      expect(warnings.join()).toMatch(/Only 1 image/);
    });
  });

  it("ten thousand images take no more memory than a thousand", { timeout: 120_000 }, async () => {
    await on("plain", async (bench) => {
      const held: number[] = [];
      async function* many() {
        for (let i = 0; i < 10_000; i++) {
          if (i === 1000 || i === 9999) held.push(process.memoryUsage().rss);
          const frame = { id: `${i}`, index: i, width: 6, height: 6 };
          yield { frame, tensors: { "": smallInput(i) } } satisfies TensorItem;
        }
      }
      const { outputs } = await bench.calibrate(Object.assign(many(), { total: 10_000 }));
      const [early = 0, late = 0] = held;
      // The images and what is seen of them are 230 MB together.
      expect((late - early) / 2 ** 20).toBeLessThan(100);
      // The artifact does not grow either.
      expect(outputs.calibration?.size).toBeLessThan(60_000);
    });
  });
});
