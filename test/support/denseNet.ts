/** x [1, channels, side, side] through the dense convolutions `first`, `second`, `third`: enough sums for integers to pay. */
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { modelBytes } from "../../onnx/serde.ts";
import { noise } from "./outputs.ts";

interface DenseNet {
  readonly channels: number;
  readonly side: number;
  /** Taps along a side, odd. */
  readonly kernel: number;
}

export function denseNet({ channels, side, kernel }: DenseNet): Promise<Uint8Array> {
  const shape = [1, channels, side, side];
  const graph = new Graph("dense");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", 13);
  let value = graph.addInput("x", { elemType: DataType.FLOAT, shape });
  for (const [i, name] of ["first", "second", "third"].entries()) {
    const weight = Tensor.f32([channels, channels, kernel, kernel], noise(kernel ** 2 * channels ** 2, i + 1));
    const inputs = [value, graph.addInitializer(`${name}_w`, weight)];
    const attributes = { pads: Array(4).fill((kernel - 1) / 2) };
    value = graph.addNode({ opType: "Conv", name, inputs, outputs: [`${name}_y`], attributes }).output();
    value.type = { elemType: DataType.FLOAT, shape };
  }
  graph.addOutput(value);
  return modelBytes(model);
}
