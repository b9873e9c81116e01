import { describe, expect, it } from "vitest";
import { DataType } from "../../ir/dataType.ts";
import { Graph } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { layoutOf } from "../quantize/layout.ts";
import { chooseIntegers, type PlacementCosts } from "./chooseIntegers.ts";
import { elementsOf, type Units, unitsOf } from "./units.ts";

const TYPE = { elemType: DataType.FLOAT, shape: [1, 8, 4, 4] };
const ELEMENTS = 128;

/** Convs in a row, named a, b, c ...; a SiLU-like Sigmoid behind those whose letter is upper case. */
function chain(letters: string): Units {
  const graph = new Graph("chain");
  let value = graph.addInput("x", TYPE);
  for (const letter of letters) {
    const weight = graph.addInitializer(`${letter}_w`, Tensor.f32([8, 8, 1, 1], new Float32Array(64).fill(1)));
    value = graph.addNode({ opType: "Conv", name: letter, inputs: [value, weight], outputs: [`${letter}_y`] }).output();
    value.type = TYPE;
    if (letter === letter.toLowerCase()) continue;
    value = graph
      .addNode({ opType: "Sigmoid", name: `${letter}_s`, inputs: [value], outputs: [`${letter}_z`] })
      .output();
    value.type = TYPE;
  }
  graph.addOutput(value);
  return unitsOf(graph, layoutOf("onnxruntime-x86"));
}

/** Milliseconds gained in integers by layer; conversions in milliseconds a tensor. */
function costs(units: Units, gains: Record<string, number>, ms = 1): PlacementCosts {
  const each = ms / ELEMENTS;
  return {
    units: new Map(units.all.map((unit) => [unit, { floatMs: 10, integerMs: 10 - (gains[unit.name] ?? 0) }])),
    conversions: { quantize: each, dequantize: each, toIntegers: 0, toFloats: 0 },
  };
}

function chosen(units: Units, gains: Record<string, number>, price = 0): string {
  const noiseOf = () => 1;
  const set = chooseIntegers(units, costs(units, gains), { msPerNoise: price, noiseOf });
  return [...set].map(({ name }) => name).join("");
}

describe("chooseIntegers", () => {
  it("counts the elements of a tensor", () => {
    expect(elementsOf(chain("a").all[0]?.node.output() ?? expect.fail())).toBe(ELEMENTS);
  });

  it("leaves in float what gains less than entering and leaving integers costs", () => {
    expect(chosen(chain("abc"), { b: 1.9 })).toBe("");
    expect(chosen(chain("abc"), { b: 2.1 })).toBe("b");
  });

  it("crosses once for neighbours, and takes a small loss between two gains", () => {
    expect(chosen(chain("abc"), { a: 1.2, b: 1.2, c: 1.2 })).toBe("abc");
    expect(chosen(chain("abc"), { a: 2.5, b: -1.5, c: 2.5 })).toBe("abc");
    expect(chosen(chain("abc"), { a: 2.5, b: -2.5, c: 2.5 })).toBe("ac");
  });

  it("pays for floats between layers in integers", () => {
    expect(chosen(chain("Ab"), { A: 1.9, b: 1.9 })).toBe("");
    expect(chosen(chain("Ab"), { A: 2.1, b: 2.1 })).toBe("Ab");
  });

  it("takes fewer layers the dearer noise is", () => {
    const gains = { A: 3, b: 6, C: 9 };
    expect(chosen(chain("AbC"), gains, 0)).toBe("AbC");
    expect(chosen(chain("AbC"), gains, 5)).toBe("bC");
    expect(chosen(chain("AbC"), gains, 100)).toBe("");
  });
});
