/**
 * The messages of onnx.proto (IR version 14) as tables: field numbers, types and names, in the proto's own words.
 * Fields that a later version adds travel along as unknown ones.
 */
import { many, one, packed, Schema } from "./message.ts";

const entries = (number: number) => many(number, StringStringEntryProto);

export const StringStringEntryProto: Schema = new Schema("StringStringEntryProto", () => ({
  key: one(1, "string"),
  value: one(2, "string"),
}));

export const OperatorSetIdProto: Schema = new Schema("OperatorSetIdProto", () => ({
  domain: one(1, "string"),
  version: one(2, "int64"),
}));

export const ModelProto: Schema = new Schema("ModelProto", () => ({
  ir_version: one(1, "int64"),
  producer_name: one(2, "string"),
  producer_version: one(3, "string"),
  domain: one(4, "string"),
  model_version: one(5, "int64"),
  doc_string: one(6, "string"),
  graph: one(7, GraphProto),
  opset_import: many(8, OperatorSetIdProto),
  metadata_props: entries(14),
  training_info: many(20, TrainingInfoProto),
  functions: many(25, FunctionProto),
  configuration: many(26, DeviceConfigurationProto),
}));

export const TrainingInfoProto: Schema = new Schema("TrainingInfoProto", () => ({
  initialization: one(1, GraphProto),
  algorithm: one(2, GraphProto),
  initialization_binding: entries(3),
  update_binding: entries(4),
}));

export const FunctionProto: Schema = new Schema("FunctionProto", () => ({
  name: one(1, "string"),
  input: many(4, "string"),
  output: many(5, "string"),
  attribute: many(6, "string"),
  node: many(7, NodeProto),
  doc_string: one(8, "string"),
  opset_import: many(9, OperatorSetIdProto),
  domain: one(10, "string"),
  attribute_proto: many(11, AttributeProto),
  value_info: many(12, ValueInfoProto),
  overload: one(13, "string"),
  metadata_props: entries(14),
}));

export const DeviceConfigurationProto: Schema = new Schema("DeviceConfigurationProto", () => ({
  name: one(1, "string"),
  num_devices: one(2, "int32"),
  device: many(3, "string"),
}));

export const GraphProto: Schema = new Schema("GraphProto", () => ({
  node: many(1, NodeProto),
  name: one(2, "string"),
  initializer: many(5, TensorProto),
  doc_string: one(10, "string"),
  input: many(11, ValueInfoProto),
  output: many(12, ValueInfoProto),
  value_info: many(13, ValueInfoProto),
  quantization_annotation: many(14, TensorAnnotation),
  sparse_initializer: many(15, SparseTensorProto),
  metadata_props: entries(16),
}));

export const TensorAnnotation: Schema = new Schema("TensorAnnotation", () => ({
  tensor_name: one(1, "string"),
  quant_parameter_tensor_names: entries(2),
}));

export const NodeProto: Schema = new Schema("NodeProto", () => ({
  input: many(1, "string"),
  output: many(2, "string"),
  name: one(3, "string"),
  op_type: one(4, "string"),
  attribute: many(5, AttributeProto),
  doc_string: one(6, "string"),
  domain: one(7, "string"),
  overload: one(8, "string"),
  metadata_props: entries(9),
  device_configurations: many(10, NodeDeviceConfigurationProto),
}));

export const NodeDeviceConfigurationProto: Schema = new Schema("NodeDeviceConfigurationProto", () => ({
  configuration_id: one(1, "string"),
  sharding_spec: many(2, ShardingSpecProto),
  pipeline_stage: one(3, "int32"),
}));

export const ShardingSpecProto: Schema = new Schema("ShardingSpecProto", () => ({
  tensor_name: one(1, "string"),
  device: many(2, "int64"),
  index_to_device_group_map: many(3, IntIntListEntryProto),
  sharded_dim: many(4, ShardedDimProto),
}));

export const IntIntListEntryProto: Schema = new Schema("IntIntListEntryProto", () => ({
  key: one(1, "int64"),
  value: many(2, "int64"),
}));

export const ShardedDimProto: Schema = new Schema("ShardedDimProto", () => ({
  axis: one(1, "int64"),
  simple_sharding: many(2, SimpleShardedDimProto),
}));

export const SimpleShardedDimProto: Schema = new Schema("SimpleShardedDimProto", () => ({
  dim_value: one(1, "int64", "dim"),
  dim_param: one(2, "string", "dim"),
  num_shards: one(3, "int64"),
}));

export const AttributeProto: Schema = new Schema("AttributeProto", () => ({
  name: one(1, "string"),
  f: one(2, "float"),
  i: one(3, "int64"),
  s: one(4, "bytes"),
  t: one(5, TensorProto),
  g: one(6, GraphProto),
  floats: many(7, "float"),
  ints: many(8, "int64"),
  strings: many(9, "bytes"),
  tensors: many(10, TensorProto),
  graphs: many(11, GraphProto),
  doc_string: one(13, "string"),
  tp: one(14, TypeProto),
  type_protos: many(15, TypeProto),
  type: one(20, "int32"),
  ref_attr_name: one(21, "string"),
  sparse_tensor: one(22, SparseTensorProto),
  sparse_tensors: many(23, SparseTensorProto),
}));

export const TensorProto: Schema = new Schema("TensorProto", () => ({
  dims: many(1, "int64"),
  data_type: one(2, "int32"),
  segment: one(3, TensorSegment),
  float_data: packed(4, "float"),
  int32_data: packed(5, "int32"),
  string_data: many(6, "bytes"),
  int64_data: packed(7, "int64"),
  name: one(8, "string"),
  raw_data: one(9, "bytes"),
  double_data: packed(10, "double"),
  uint64_data: packed(11, "uint64"),
  doc_string: one(12, "string"),
  external_data: entries(13),
  data_location: one(14, "int32"),
  metadata_props: entries(16),
}));

export const TensorSegment: Schema = new Schema("TensorProto.Segment", () => ({
  begin: one(1, "int64"),
  end: one(2, "int64"),
}));

export const SparseTensorProto: Schema = new Schema("SparseTensorProto", () => ({
  values: one(1, TensorProto),
  indices: one(2, TensorProto),
  dims: many(3, "int64"),
}));

export const ValueInfoProto: Schema = new Schema("ValueInfoProto", () => ({
  name: one(1, "string"),
  type: one(2, TypeProto),
  doc_string: one(3, "string"),
  metadata_props: entries(4),
}));

export const TypeProto: Schema = new Schema("TypeProto", () => ({
  tensor_type: one(1, TypeProtoTensor, "value"),
  sequence_type: one(4, TypeProtoElement, "value"),
  map_type: one(5, TypeProtoMap, "value"),
  denotation: one(6, "string"),
  opaque_type: one(7, TypeProtoOpaque, "value"),
  sparse_tensor_type: one(8, TypeProtoTensor, "value"),
  optional_type: one(9, TypeProtoElement, "value"),
}));

/** `Tensor` and `SparseTensor` of TypeProto, which are alike. */
export const TypeProtoTensor: Schema = new Schema("TypeProto.Tensor", () => ({
  elem_type: one(1, "int32"),
  shape: one(2, TensorShapeProto),
}));

/** `Sequence` and `Optional` of TypeProto, which are alike. */
export const TypeProtoElement: Schema = new Schema("TypeProto.Sequence", () => ({ elem_type: one(1, TypeProto) }));

export const TypeProtoMap: Schema = new Schema("TypeProto.Map", () => ({
  key_type: one(1, "int32"),
  value_type: one(2, TypeProto),
}));

export const TypeProtoOpaque: Schema = new Schema("TypeProto.Opaque", () => ({
  domain: one(1, "string"),
  name: one(2, "string"),
}));

export const TensorShapeProto: Schema = new Schema("TensorShapeProto", () => ({ dim: many(1, Dimension) }));

export const Dimension: Schema = new Schema("TensorShapeProto.Dimension", () => ({
  dim_value: one(1, "int64", "value"),
  dim_param: one(2, "string", "value"),
  denotation: one(3, "string"),
}));
