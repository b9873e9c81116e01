/**
 * ONNX Runtime's names of element types, by the codes of onnx.proto: the same in Node and in a browser. What is absent
 * cannot be an input or an output there.
 */
import { DataType } from "./dataType.ts";

const TYPES = [
  [DataType.FLOAT, "float32"],
  [DataType.UINT8, "uint8"],
  [DataType.INT8, "int8"],
  [DataType.UINT16, "uint16"],
  [DataType.INT16, "int16"],
  [DataType.INT32, "int32"],
  [DataType.INT64, "int64"],
  [DataType.BOOL, "bool"],
  [DataType.FLOAT16, "float16"],
  [DataType.DOUBLE, "float64"],
  [DataType.UINT32, "uint32"],
  [DataType.UINT64, "uint64"],
] as const;

export const RUNTIME_TYPES: ReadonlyMap<number, (typeof TYPES)[number][1]> = new Map(TYPES);

const CODES = new Map<string, number>(TYPES.map(([code, name]) => [name, code]));

/** The code of onnx.proto for a runtime's name; undefined for what cannot cross its boundary. */
export const runtimeTypeCode = (name: string): number | undefined => CODES.get(name);
