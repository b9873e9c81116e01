/** Small graphs with what TensorRT's importer takes or refuses: judged by our own check, and by the builder where it is. */
import { DataType } from "../../onnx/ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Value } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import type { ShapeRange } from "../../onnx/passes/tensorrtReadiness.ts";

export interface TensorrtCase {
  readonly name: string;
  readonly model: Model;
  /** Codes of the errors that our check finds; empty where it takes the graph. */
  readonly errors: readonly string[];
  /** What TensorRT for RTX does with it; absent where the check is stricter on purpose. */
  readonly builds?: boolean;
  readonly shapes?: Readonly<Record<string, ShapeRange>>;
}

const F32 = DataType.FLOAT;

class Sketch {
  readonly graph = new Graph("g");
  readonly model = new Model(this.graph);

  constructor(opset = 21) {
    this.model.opsetImports.set("", opset);
    this.model.irVersion = 10;
  }
  input(elemType: number = F32, shape: readonly (number | string)[] = [1, 4, 8, 8], name = "x"): Value {
    return this.graph.addInput(name, { elemType, shape });
  }
  constant(dataType: number, dims: readonly number[], data: Parameters<typeof Tensor.of>[2]): Value {
    return this.graph.addInitializer("c", Tensor.of(dataType, dims, data));
  }
  scalar(value: number): Value {
    return this.constant(F32, [], new Float32Array([value]));
  }
  op(
    opType: string,
    inputs: readonly (Value | null)[],
    options: { attributes?: Record<string, AttributeInput>; domain?: string; outputs?: number } = {},
  ): Value {
    const { attributes = {}, domain = "", outputs = 1 } = options;
    const names = Array.from({ length: outputs }, (_, i) => this.graph.freshName(`${opType.toLowerCase()}_${i}`));
    const node = this.graph.addNode({ opType, inputs, outputs: names, attributes, domain });
    return node.output(outputs - 1);
  }
  /** Quantize, dequantize, Relu. */
  qdq(scale: Value, zero: Value | null): this {
    const ends = zero ? [scale, zero] : [scale];
    const q = this.op("QuantizeLinear", [this.input(), ...ends]);
    return this.out(this.op("Relu", [this.op("DequantizeLinear", [q, ...ends])]));
  }
  out(value: Value, elemType: number = F32): this {
    value.type ??= { elemType };
    this.graph.addOutput(value);
    return this;
  }
}

const bytes = (type: number, value: number) => (s: Sketch) =>
  s.constant(type, [], type === DataType.INT8 ? new Int8Array([value]) : new Uint8Array([value]));
const i8 = bytes(DataType.INT8, 0);

function sketch(make: (s: Sketch) => void, opset?: number): Model {
  const s = new Sketch(opset);
  make(s);
  return s.model;
}

export function tensorrtCases(): readonly TensorrtCase[] {
  const range = { min: [1, 4], opt: [2, 4], max: [8, 4] };
  const dynamic = () => sketch((s) => s.out(s.op("Relu", [s.input(F32, ["batch", 4])])));
  const typed = (type: number) => sketch((s) => s.out(s.op("Cast", [s.input(type)], { attributes: { to: F32 } })));
  return [
    { name: "a float graph", model: sketch((s) => s.out(s.op("Relu", [s.input()]))), errors: [], builds: true },
    { name: "signed symmetric INT8", model: sketch((s) => s.qdq(s.scalar(0.1), i8(s))), errors: [], builds: true },
    {
      name: "an int32 bias behind a DequantizeLinear",
      model: sketch((s) => {
        const bias = s.constant(DataType.INT32, [8], new Int32Array(8));
        const float = s.op("DequantizeLinear", [bias, s.scalar(0.1)]);
        s.out(s.op("Add", [s.input(), float]));
      }, 17),
      errors: ["int32-bias"],
      builds: false,
    },
    {
      name: "a zero point of 3",
      model: sketch((s) => s.qdq(s.scalar(0.1), bytes(DataType.INT8, 3)(s))),
      errors: ["zero-point", "zero-point"],
      builds: false,
    },
    {
      name: "unsigned with zero point 128",
      model: sketch((s) => s.qdq(s.scalar(0.1), bytes(DataType.UINT8, 128)(s))),
      errors: ["unsigned-quantization", "zero-point", "unsigned-quantization", "zero-point"],
      builds: false,
    },
    // The builder takes it with a warning and reads it as signed: a change of meaning.
    {
      name: "unsigned with zero point 0",
      model: sketch((s) => s.qdq(s.scalar(0.1), bytes(DataType.UINT8, 0)(s))),
      errors: ["unsigned-quantization", "unsigned-quantization"],
    },
    {
      name: "a quantizer that names no type, which is unsigned",
      model: sketch((s) => s.qdq(s.scalar(0.1), null)),
      errors: ["unsigned-quantization", "unsigned-quantization"],
    },
    {
      name: "a scale of 0",
      model: sketch((s) => s.qdq(s.scalar(0), i8(s))),
      errors: ["scale", "scale"],
      builds: false,
    },
    {
      name: "int16 activations",
      model: sketch((s) => s.qdq(s.scalar(0.1), s.constant(DataType.INT16, [], new Int16Array(1)))),
      errors: ["quantized-type", "quantized-type"],
      builds: false,
    },
    {
      name: "a dynamically quantized layer",
      model: sketch((s) => s.out(s.op("DynamicQuantizeLinear", [s.input()], { outputs: 3 }), DataType.UINT8)),
      errors: ["quantized-operator"],
      builds: false,
    },
    {
      name: "an operator of ONNX Runtime",
      model: sketch((s) => s.out(s.op("FusedConv", [s.input()], { domain: "com.microsoft" }))),
      errors: ["foreign-operator"],
      builds: false,
    },
    {
      name: "an operator that TensorRT lacks",
      model: sketch((s) => s.out(s.op("Det", [s.input(F32, [2, 4, 4])]))),
      errors: ["unsupported-operator"],
      builds: false,
    },
    {
      name: "NonZero",
      model: sketch((s) => s.out(s.op("NonZero", [s.input()]), DataType.INT64)),
      errors: ["plugin-operator"],
      builds: false,
    },
    {
      name: "half and float into one Add",
      model: sketch((s) => {
        const x = s.input();
        s.out(s.op("Add", [x, s.op("Cast", [x], { attributes: { to: DataType.FLOAT16 } })]));
      }),
      errors: ["mixed-precision"],
      builds: false,
    },
    {
      name: "MaxPool with indices",
      model: sketch((s) =>
        s.out(s.op("MaxPool", [s.input()], { attributes: { kernel_shape: [2, 2] }, outputs: 2 }), DataType.INT64),
      ),
      errors: ["pool-indices"],
      builds: false,
    },
    {
      name: "TopK of 4000",
      model: sketch((s) => {
        const k = s.constant(DataType.INT64, [1], new BigInt64Array([4000n]));
        s.out(s.op("TopK", [s.input(F32, [1, 5000]), k], { outputs: 2 }), DataType.INT64);
      }),
      errors: ["top-k"],
      builds: false,
    },
    { name: "a dynamic input without a profile", model: dynamic(), errors: ["dynamic-input"], builds: false },
    { name: "a dynamic input with one", model: dynamic(), errors: [], builds: true, shapes: { x: range } },
    {
      name: "a profile that contradicts the model",
      model: dynamic(),
      errors: ["shapes"],
      builds: false,
      shapes: { x: { min: [1, 3], opt: [2, 3], max: [8, 3] } },
    },
    {
      name: "a profile that shrinks",
      model: dynamic(),
      errors: ["shapes"],
      builds: false,
      shapes: { x: { min: [4, 4], opt: [2, 4], max: [8, 4] } },
    },
    { name: "an int16 input", model: typed(DataType.INT16), errors: ["input-type"], builds: false },
    { name: "an int64 input", model: typed(DataType.INT64), errors: [], builds: true },
  ];
}
