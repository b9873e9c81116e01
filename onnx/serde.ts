/** The door between ONNX files and the graph in memory: read a model from bytes anywhere, write it as a stream. */
export { type ReadOptions, readModel } from "./serde/readModel.ts";
export { modelBytes, type WriteOptions, writeModel } from "./serde/writeModel.ts";
