/** What a graph was read from, kept in `Graph.origin`: the message, and which values its lists named, in their order. */
import type { TensorType, Value } from "../ir/graph.ts";
import type { Message } from "../message.ts";

export class GraphRecord {
  readonly inputs = new Map<Value, Message>();
  /** A list, since a value may be listed twice. */
  readonly outputs: { readonly message: Message; readonly value: Value }[] = [];
  readonly initializers: Value[] = [];
  readonly sparse: Value[] = [];
  /** Some exporters describe values that no longer exist: these have no value and are written back as they are. */
  readonly valueInfo: { readonly message: Message; readonly value: Value | undefined }[] = [];

  /** Types as read: while one stands, every message that states it, perhaps in other words, is written as it was. */
  readonly types = new Map<Value, TensorType | undefined>();

  constructor(readonly message: Message) {}

  outputMessage(value: Value, index: number): Message | undefined {
    const there = this.outputs[index];
    return there?.value === value ? there.message : this.outputs.find((output) => output.value === value)?.message;
  }

  statement(value: Value, message: Message | undefined) {
    return { message, type: this.types.get(value) };
  }

  /** The record of a graph's copy, by its own values; those taken out since reading have no copy and drop out. */
  ofCopies(copies: ReadonlyMap<Value, Value>): GraphRecord {
    const record = new GraphRecord(this.message);
    const each = <T>(from: ReadonlyMap<Value, T>, to: Map<Value, T>) => {
      for (const [value, item] of from) {
        const copy = copies.get(value);
        if (copy) to.set(copy, item);
      }
    };
    each(this.inputs, record.inputs);
    each(this.types, record.types);
    record.initializers.push(...this.initializers.flatMap((value) => copies.get(value) ?? []));
    record.sparse.push(...this.sparse.flatMap((value) => copies.get(value) ?? []));
    for (const { message, value } of this.outputs) {
      const copy = copies.get(value);
      if (copy) record.outputs.push({ message, value: copy });
    }
    for (const { message, value } of this.valueInfo) {
      const copy = value && copies.get(value);
      if (copy || !value) record.valueInfo.push({ message, value: copy });
    }
    return record;
  }
}
