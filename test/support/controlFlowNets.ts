/** Small nets with a branch and a loop that read what is outside of them. */
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, type Value } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { CHANNELS, type NetWriter } from "./smallNets.ts";

const relu = (x: Value, net: NetWriter) => net.node("Relu", [x]);

/** A branch that convolves, one that does not, both reading what is outside of them. */
export function branching(x: Value, net: NetWriter): Value {
  const weight = net.constant([CHANNELS, CHANNELS, 1, 1], new Array(CHANNELS * CHANNELS).fill(0.1));
  const body = (opType: string, ...inputs: Value[]) => {
    const value = new Graph(opType, net.graph);
    value.addOutput(value.addNode({ opType, inputs, outputs: [`${opType}_out`] }).output());
    return { type: "graph", value } as const;
  };
  const sum = net.node("ReduceSum", [x], { keepdims: 0 });
  const condition = net.node("Greater", [sum, net.constant([], [0])]);
  const branches = { then_branch: body("Conv", x, weight), else_branch: body("Relu", x) };
  return relu(net.node("If", [condition], branches), net);
}

/**
 * Three rounds of a body that convolves what the last one gave, with a weight of the graph outside, and adds what the
 * loop began with; a condition inside of it chooses between two ends.
 */
export function looping(x: Value, net: NetWriter): Value {
  const weight = net.constant([CHANNELS, CHANNELS, 1, 1], new Array(CHANNELS * CHANNELS).fill(0.02));
  const body = new Graph("body", net.graph);
  const round = body.addInput("round", { elemType: DataType.INT64, shape: [] });
  const goesOn = body.addInput("goes_on", { elemType: DataType.BOOL, shape: [] });
  const state = body.addInput("state", { elemType: DataType.FLOAT, shape: [1, CHANNELS, 6, 6] });
  const node = (opType: string, inputs: readonly Value[], attributes = {}) =>
    body.addNode({ opType, name: `in_${opType}`, inputs, outputs: [`in_${opType}_out`], attributes }).output();
  const end = (opType: string, from: Value) => {
    const branch = new Graph(`end_${opType}`, body);
    branch.addOutput(branch.addNode({ opType, inputs: [from], outputs: [`end_${opType}_out`] }).output());
    return { type: "graph", value: branch } as const;
  };
  const sum = node("Add", [node("Conv", [state, weight]), x]);
  const late = node("Greater", [round, net.graph.addInitializer("one", Tensor.i64([], [1]))]);
  const next = node("If", [late], { then_branch: end("Relu", sum), else_branch: end("Sigmoid", sum) });
  const again = node("Identity", [goesOn]);
  next.type = { elemType: DataType.FLOAT, shape: [1, CHANNELS, 6, 6] };
  again.type = { elemType: DataType.BOOL, shape: [] };
  body.addOutput(again);
  body.addOutput(next);
  const rounds = net.graph.addInitializer("rounds", Tensor.i64([], [3]));
  return relu(net.node("Loop", [rounds, null, x], { body: { type: "graph", value: body } }), net);
}
