/** Small models for the tests of operators. */
import { describe, expect, it } from "vitest";
import { inferShapes } from "../../onnx/infer.ts";
import { DataType, packedByteLength } from "../../onnx/ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Shape, type TensorType } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";

export function constantTensor(elemType: number, dims: readonly number[], elements: readonly number[]): Tensor {
  switch (elemType) {
    case DataType.FLOAT:
      return Tensor.f32(dims, elements);
    case DataType.INT64:
      return Tensor.i64(dims, elements);
    case DataType.INT32:
      return Tensor.of(elemType, dims, Int32Array.from(elements));
    case DataType.BOOL:
      return Tensor.of(elemType, dims, Uint8Array.from(elements));
    default:
      throw new TypeError(`no constants of type ${elemType} here`);
  }
}

/** A weight of which only type and size matter. */
export function zeros(elemType: number, dims: readonly number[]): Tensor {
  const bytes =
    packedByteLength(
      elemType,
      dims.reduce((a, b) => a * b, 1),
    ) ?? 0;
  return Tensor.of(elemType, dims, new Uint8Array(bytes));
}

/** An input of this shape (f32 unless typed), a constant, or null for an omitted one. */
export type TestInput = Shape | TensorType | Tensor | null;

export interface OneNode {
  readonly opType: string;
  readonly domain?: string;
  readonly opset?: number;
  readonly inputs: readonly TestInput[];
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  readonly outputs?: number;
}

/** A model of one node; its outputs are the graph's. Types are not inferred yet. */
export function oneNodeModel(spec: OneNode): Model {
  const graph = new Graph("one");
  const model = new Model(graph);
  model.opsetImports.set("", spec.opset ?? 17);
  if (spec.domain) model.opsetImports.set(spec.domain, 1);
  const inputs = spec.inputs.map((input, i) => {
    if (input === null) return null;
    if (input instanceof Tensor) return graph.addInitializer(`c${i}`, input);
    return graph.addInput(`x${i}`, isType(input) ? input : { elemType: DataType.FLOAT, shape: input });
  });
  const outputs = Array.from({ length: spec.outputs ?? 1 }, (_, i) => `y${i}`);
  const node = graph.addNode({
    opType: spec.opType,
    domain: spec.domain ?? "",
    inputs,
    outputs,
    attributes: spec.attributes ?? {},
  });
  for (const output of node.outputs) if (output) graph.addOutput(output);
  return model;
}

function isType(input: Shape | TensorType): input is TensorType {
  return "elemType" in input;
}

/** The shapes of the outputs, or the reason why there are none. */
export function inferOne(spec: OneNode): readonly (Shape | undefined)[] | string {
  const model = oneNodeModel(spec);
  const [problem] = inferShapes(model).unknown;
  return problem ? problem.reason : model.graph.outputs.map((output) => output.shape);
}

export type ShapeRow = readonly [name: string, node: OneNode, expected: readonly (Shape | undefined)[] | RegExp];

/** Expected shapes of the outputs, or what the reason for their absence says. */
export function shapeTable(title: string, rows: readonly ShapeRow[]): void {
  describe(title, () => {
    it.each(rows)("%s", (_, node, expected) => {
      const got = inferOne(node);
      if (expected instanceof RegExp) expect(got).toMatch(expected);
      else expect(got).toEqual(expected);
    });
  });
}
