/** Small networks with something odd in the middle, for the tests of the optimiser: 1x1 convolutions of as many channels
 * as pay in integers. */
import { DataType } from "../../onnx/ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Value } from "../../onnx/ir/graph.ts";
import type { HostTensor } from "../../onnx/ir/hostTensor.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { modelBytes } from "../../onnx/serde.ts";
import { noise } from "./outputs.ts";

export const CHANNELS = 40;
const SIDE = 6;
const DIMS = [1, CHANNELS, SIDE, SIDE];

export interface NetWriter {
  readonly graph: Graph;
  readonly model: Model;
  node(opType: string, inputs: readonly (Value | null)[], attributes?: Readonly<Record<string, AttributeInput>>): Value;
  /** A 1x1 convolution; `weight` replaces its values. */
  conv(x: Value, weight?: (values: Float32Array) => Float32Array): Value;
  constant(dims: readonly number[], values: readonly number[]): Value;
}

interface NetOptions {
  readonly batch?: number | string;
  readonly opset?: number;
}

/** x -> conv -> whatever `middle` makes of it -> conv -> y; `middle` gets what the first convolution gives. */
export function smallNet(middle: (x: Value, net: NetWriter) => Value, options: NetOptions = {}): Promise<Uint8Array> {
  const graph = new Graph("small");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", options.opset ?? 17);
  let count = 0;
  const net: NetWriter = {
    graph,
    model,
    node: (opType, inputs, attributes = {}) => {
      const name = `${opType.toLowerCase()}_${count++}`;
      return graph.addNode({ opType, name, inputs, outputs: [`${name}_out`], attributes }).output();
    },
    conv(x, weight = (values) => values) {
      const values = weight(noise(CHANNELS * CHANNELS, ++count));
      const w = graph.addInitializer("w", Tensor.f32([CHANNELS, CHANNELS, 1, 1], values));
      return net.node("Conv", [x, w, graph.addInitializer("b", Tensor.f32([CHANNELS], noise(CHANNELS, count)))]);
    },
    constant: (dims, values) => graph.addInitializer("c", Tensor.f32(dims, values)),
  };
  const dims = [options.batch ?? 1, ...DIMS.slice(1)];
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: dims });
  const y = net.conv(middle(net.conv(x), net));
  y.type = { elemType: DataType.FLOAT, shape: dims };
  graph.addOutput(y);
  return modelBytes(model);
}

/** An input of the net, from a seed. */
export function smallInput(seed: number, batch = 1): HostTensor {
  const dims = [batch, ...DIMS.slice(1)];
  return { dataType: DataType.FLOAT, dims, data: noise(batch * CHANNELS * SIDE * SIDE, seed) };
}

export function filledInput(value: number): HostTensor {
  return { dataType: DataType.FLOAT, dims: DIMS, data: new Float32Array(CHANNELS * SIDE * SIDE).fill(value) };
}
