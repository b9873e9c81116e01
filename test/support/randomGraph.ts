/**
 * Random convolutional graphs for property tests: every operator that passes rewrite or cut through, in any order, with
 * branches. A recipe is plain data, so that fast-check can shrink it and the model can be built twice.
 */
import fc from "fast-check";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model, type Value } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { noise } from "./outputs.ts";

export const STEPS = [
  "conv",
  "depthwise",
  "grouped",
  "transposed",
  "batchNorm",
  "relu",
  "sigmoid",
  "scale",
  "shift",
  "pad",
  "identity",
  "transposePair",
  "reshapePair",
  "shuffle",
  "addSkip",
  "mulSkip",
  "concatSkip",
  "splitHalves",
  "sliceHalf",
  "gatherHalf",
  "maxPool",
  "averagePool",
  "squeezeExcite",
  "resize",
] as const;
/** Steps that want an even number of channels, on either side. */
const HALVING: readonly string[] = ["grouped", "shuffle", "splitHalves", "sliceHalf", "gatherHalf"];
export type Step = (typeof STEPS)[number];

export interface Recipe {
  readonly steps: readonly { readonly step: Step; readonly pick: number }[];
  readonly seed: number;
}

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  steps: fc.array(fc.record({ step: fc.constantFrom(...STEPS), pick: fc.nat(7) }), { minLength: 3, maxLength: 14 }),
  seed: fc.nat(1000),
});

export function modelFrom(recipe: Recipe): Model {
  const builder = new Builder(recipe.seed);
  for (const { step, pick } of recipe.steps) builder.add(step, pick);
  return builder.finish();
}

interface Sized {
  readonly value: Value;
  readonly channels: number;
  readonly size: number;
}

class Builder {
  readonly graph = new Graph("random");
  readonly #model = new Model(this.graph);
  #last: Sized;
  readonly #all: Sized[] = [];
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed + 1;
    this.#model.opsetImports.set("", 13);
    const input = this.graph.addInput("input", { elemType: DataType.FLOAT, shape: [1, 4, 8, 8] });
    this.#last = { value: input, channels: 4, size: 8 };
    this.#conv(8, 3, 1);
  }

  #constant(dims: readonly number[], scale = 1, offset = 0): Value {
    const count = dims.reduce((a, b) => a * b, 1);
    const data = noise(count, this.#seed++).map((x) => x * scale + offset);
    return this.graph.addInitializer(`c${this.#seed}`, Tensor.f32(dims, data));
  }

  #ints(data: readonly number[]): Value {
    return this.graph.addInitializer(`i${this.#seed++}`, Tensor.i64([data.length], data));
  }

  #op(
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: Record<string, number | readonly number[] | string> = {},
  ): Value {
    const name = `n${this.graph.nodes.length}`;
    return this.graph.addNode({ opType, name, inputs, outputs: [`${name}_y`], attributes }).output();
  }

  #set(value: Value, channels = this.#last.channels, size = this.#last.size): void {
    this.#all.push(this.#last);
    this.#last = { value, channels, size };
  }

  #conv(channels: number, kernel: number, group: number): void {
    const { value, channels: c } = this.#last;
    const weight = this.#constant([channels, c / group, kernel, kernel], 2 / Math.sqrt((c / group) * kernel));
    const pad = (kernel - 1) / 2;
    const y = this.#op("Conv", [value, weight, this.#constant([channels])], { group, pads: [pad, pad, pad, pad] });
    this.#set(y, channels);
  }

  #like(pick: number): Value | undefined {
    const same = this.#all.filter((v) => v.channels === this.#last.channels && v.size === this.#last.size);
    return same[pick % Math.max(1, same.length)]?.value;
  }

  add(step: Step, pick: number): void {
    const { value: x, channels: c, size } = this.#last;
    const half = c / 2;
    if (c % 4 !== 0 && HALVING.includes(step)) return;
    switch (step) {
      case "conv":
        this.#conv([4, 8, 12, 16][pick % 4] ?? 8, pick % 2 ? 3 : 1, 1);
        break;
      case "depthwise":
        this.#conv(c, 3, c);
        break;
      case "grouped":
        this.#conv(c, 1, 2);
        break;
      case "transposed": {
        const weight = this.#constant([c, 8, 2, 2]);
        if (size > 8) return;
        this.#set(this.#op("ConvTranspose", [x, weight], { strides: [2, 2] }), 8, size * 2);
        break;
      }
      case "batchNorm": {
        const parts = [this.#constant([c], 1, 1), this.#constant([c]), this.#constant([c]), this.#constant([c], 1, 1)];
        this.#set(this.#op("BatchNormalization", [x, ...parts]));
        break;
      }
      case "relu":
        this.#set(this.#op("Relu", [x]));
        break;
      case "sigmoid":
        this.#set(this.#op("Sigmoid", [x]));
        break;
      case "scale":
        this.#set(this.#op(pick % 2 ? "Mul" : "Div", [x, this.#constant(pick % 3 ? [c, 1, 1] : [], 0.5, 1)]));
        break;
      case "shift":
        this.#set(this.#op(pick % 2 ? "Add" : "Sub", [x, this.#constant([1, c, 1, 1])]));
        break;
      case "pad": {
        const weight = this.#constant([8, c, 3, 3], 0.5);
        const padded = this.#op("Pad", [x, this.#ints([0, 0, 1, 1, 0, 0, 1, 1])]);
        this.#set(this.#op("Conv", [padded, weight]), 8);
        break;
      }
      case "identity":
        this.#set(this.#op("Identity", [x]));
        break;
      case "transposePair":
        this.#set(this.#op("Transpose", [this.#op("Transpose", [x], { perm: [0, 2, 3, 1] })], { perm: [0, 3, 1, 2] }));
        break;
      case "reshapePair": {
        const flat = this.#op("Reshape", [x, this.#ints([1, c, size * size])]);
        this.#set(this.#op("Reshape", [flat, this.#ints([1, c, size, size])]));
        break;
      }
      case "shuffle": {
        const grouped = this.#op("Reshape", [x, this.#ints([1, 2, half, size, size])]);
        const turned = this.#op("Transpose", [grouped], { perm: [0, 2, 1, 3, 4] });
        this.#set(this.#op("Reshape", [turned, this.#ints([1, c, size, size])]));
        break;
      }
      case "addSkip":
      case "mulSkip": {
        const other = this.#like(pick);
        if (other) this.#set(this.#op(step === "addSkip" ? "Add" : "Mul", [x, other]));
        return;
      }
      case "concatSkip": {
        const other = this.#like(pick);
        if (other && c <= 16) this.#set(this.#op("Concat", [x, other], { axis: 1 }), 2 * c);
        return;
      }
      case "splitHalves": {
        const name = `n${this.graph.nodes.length}`;
        const split = this.graph.addNode({
          opType: "Split",
          name,
          inputs: [x],
          outputs: [`${name}_a`, `${name}_b`],
          attributes: { axis: 1 },
        });
        this.#set(this.#op("Mul", [split.output(0), split.output(1)]), half);
        break;
      }
      case "sliceHalf":
        if (c < 8) return;
        this.#set(
          this.#op("Slice", [x, this.#ints([pick % 2 ? half : 0]), this.#ints([pick % 2 ? c : half]), this.#ints([1])]),
          half,
        );
        break;
      case "gatherHalf":
        if (c < 8) return;
        this.#set(this.#op("Gather", [x, this.#ints(everySecond(c))], { axis: 1 }), half);
        break;
      case "maxPool":
      case "averagePool": {
        if (size < 4) return;
        const pool = step === "maxPool" ? "MaxPool" : "AveragePool";
        this.#set(this.#op(pool, [x], { kernel_shape: [2, 2], strides: [2, 2] }), c, size / 2);
        break;
      }
      case "squeezeExcite": {
        const pooled = this.#op("GlobalAveragePool", [x]);
        const squeezed = this.#op("Relu", [this.#op("Conv", [pooled, this.#constant([4, c, 1, 1])])]);
        const gate = this.#op("Sigmoid", [this.#op("Conv", [squeezed, this.#constant([c, 4, 1, 1])])]);
        this.#set(this.#op("Mul", [x, gate]));
        break;
      }
      case "resize": {
        if (size > 8) return;
        const scales = this.graph.addInitializer(`s${this.#seed++}`, Tensor.f32([4], [1, 1, 2, 2]));
        this.#set(this.#op("Resize", [x, null, scales], { mode: "nearest" }), c, size * 2);
        break;
      }
    }
  }

  /** A last Conv, then a flat output: the channels between are free, the output's are not. */
  finish(): Model {
    this.#conv(6, 1, 1);
    const y = this.#op("Flatten", [this.#last.value], { axis: 1 });
    this.graph.addOutput(y);
    return this.#model;
  }
}

function everySecond(channels: number): number[] {
  return Array.from({ length: channels / 2 }, (_, i) => 2 * i);
}

/** A BatchNormalization, an Identity and two Transposes: something for several rules to take away. */
export function simplifiable(): Model {
  return modelFrom({
    seed: 3,
    steps: [
      { step: "batchNorm", pick: 0 },
      { step: "identity", pick: 0 },
      { step: "transposePair", pick: 0 },
    ],
  });
}
