/** Sequences of tensors and optional values. A sequence carries one type that holds for each of its tensors. */
import { DataType } from "../ir/dataType.ts";
import { either, stacked } from "./control.ts";
import { axisIn } from "./dims.ts";
import { type Inferred, type OpDef, type ShapeContext, ShapeError, tensor } from "./op.ts";

/** A sequence's tensors in one: `axis` is known to add up only where the count is, so it stays open. */
function concatenated(ctx: ShapeContext): Inferred {
  const type = ctx.input(0).sequence;
  if (!type?.shape) return tensor(type?.elemType);
  const stacks = ctx.node.int("new_axis") === 1;
  const axis = axisIn(ctx.node.int("axis") ?? 0, type.shape.length + Number(stacks));
  if (stacks) return stacked(type, null, axis);
  return tensor(
    type.elemType,
    type.shape.map((dim, i) => (i === axis ? null : dim)),
  );
}

function splitToSequence(ctx: ShapeContext): Inferred {
  const { type } = ctx.input(0);
  if (!type?.shape) return type ? { sequence: type } : {};
  const axis = axisIn(ctx.node.int("axis") ?? 0, type.shape.length);
  const sizes = ctx.node.inputs[1] ? ctx.input(1).elements : [1];
  const part = sizes?.every((size) => size === sizes[0]) ? (sizes[0] ?? null) : null;
  if (!ctx.node.inputs[1] && ctx.node.int("keepdims") === 0) {
    return { sequence: { elemType: type.elemType, shape: type.shape.filter((_, i) => i !== axis) } };
  }
  return { sequence: { elemType: type.elemType, shape: type.shape.map((dim, i) => (i === axis ? part : dim)) } };
}

function joined(items: readonly Inferred[]): Inferred {
  const all = items.map((item): Inferred => ({ ...(item.type && { type: item.type }) }));
  const type = all.length > 0 ? all.reduce(either).type : undefined;
  return type ? { sequence: type } : {};
}

function insertedInto(ctx: ShapeContext): Inferred {
  const { sequence } = ctx.input(0);
  return sequence ? joined([{ type: sequence }, ctx.input(1)]) : joined([ctx.input(1)]);
}

/** The body sees one tensor of each sequence at a time, and tensors as they are. */
function mapped(ctx: ShapeContext): readonly Inferred[] {
  const graph = ctx.node.attributes.get("body");
  if (graph?.type !== "graph") throw new ShapeError("the attribute body must be a graph");
  const inputs = ctx.node.inputs.map((_, i): Inferred => {
    const { sequence, ...value } = ctx.input(i);
    return sequence ? { type: sequence } : value;
  });
  return ctx.inferBody(graph.value, inputs).map(({ type }): Inferred => (type ? { sequence: type } : {}));
}

export const sequenceOps: readonly OpDef[] = [
  { opType: "SequenceConstruct", shape: (ctx) => [joined(ctx.node.inputs.map((_, i) => ctx.input(i)))] },
  {
    opType: "SequenceEmpty",
    shape: (ctx) => [{ sequence: { elemType: ctx.node.int("dtype") ?? DataType.FLOAT } }],
  },
  { opType: "SequenceInsert", shape: (ctx) => [insertedInto(ctx)] },
  { opType: "SequenceErase", shape: (ctx) => [ctx.input(0)] },
  {
    opType: "SequenceAt",
    shape: (ctx) => {
      const { sequence } = ctx.input(0);
      return [sequence && { type: sequence }];
    },
  },
  { opType: "SequenceMap", shape: mapped },
  { opType: "SequenceLength", shape: () => [tensor(DataType.INT64, [])] },
  { opType: "SplitToSequence", shape: (ctx) => [splitToSequence(ctx)] },
  { opType: "ConcatFromSequence", shape: (ctx) => [concatenated(ctx)] },
  { opType: "Optional", shape: (ctx) => [ctx.input(0)] },
  { opType: "OptionalGetElement", shape: (ctx) => [ctx.input(0)] },
  { opType: "OptionalHasElement", shape: () => [tensor(DataType.BOOL, [])] },
];
