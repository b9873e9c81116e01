/**
 * One line of the file as tensors: every field that is an array of numbers (nested ones rectangular), with a batch axis of
 * one in front. Whole numbers are int64, as token ids are, unless the field holds a fraction anywhere in the file: then it
 * is float32 throughout. BERT's own inputs follow from input_ids where a line leaves them out: attention_mask is ones (a
 * line has no padding), token_type_ids zeros (one sentence).
 */
import { DataType } from "../../onnx/ir/dataType.ts";
import type { HostTensor } from "../../onnx/ir/hostTensor.ts";
import { UserError } from "../context.ts";
import type { Line } from "./jsonLines.ts";

export interface Field {
  readonly dims: readonly number[];
  readonly values: readonly number[];
  readonly whole: boolean;
}
/** By name. */
export type Fields = ReadonlyMap<string, Field>;

const MOST_VALUES = 2 ** 24;
const MOST_FIELDS = 64;
const MOST_AXES = 7;
const IDS = "input_ids";
const IMPLIED: Readonly<Record<string, number>> = { attention_mask: 1, token_type_ids: 0 };

/** Throws `bad-line` with the line's number where it is no such example. */
export function parseExample({ number, text }: Line): Fields {
  const refuse = (what: string, fix: string) => new UserError("bad-line", `Line ${number} ${what}.`, fix);
  const form = 'Write one JSON object a line: {"input_ids": [101, 2023, 102]}.';
  const parsed = parsedJson(text);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw refuse("is no JSON object", form);
  const fields = new Map<string, Field>();
  for (const [name, value] of Object.entries(parsed)) {
    if (!Array.isArray(value) || !holdsNumbers(value)) continue;
    const field = fieldOf(value);
    if (typeof field === "string") throw refuse(`has "${name}", which ${field}`, "Mend the line, or take it out.");
    fields.set(name, field);
  }
  if (fields.size === 0) throw refuse("has no array of numbers", form);
  if (fields.size > MOST_FIELDS) throw refuse(`has more than ${MOST_FIELDS} arrays`, "Keep the model's inputs.");
  return withImplied(fields);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An empty array is taken for numbers, and refused as a tensor: a list of texts is no tensor at all. */
function holdsNumbers(value: readonly unknown[]): boolean {
  let first: unknown = value;
  for (let depth = 0; Array.isArray(first) && depth <= MOST_AXES; depth++) first = first[0];
  return first === undefined || typeof first === "number" || Array.isArray(first);
}

/** The array flat, or what is wrong with it. */
function fieldOf(array: readonly unknown[]): Field | string {
  const dims = [array.length];
  let level = array;
  for (let [first] = level; Array.isArray(first); [first] = level) {
    if (dims.length === MOST_AXES) return `has more than ${MOST_AXES} axes`;
    const { length } = first;
    const parts = level.map((part) => (Array.isArray(part) && part.length === length ? part : undefined));
    if (parts.includes(undefined)) return "is not rectangular";
    if (level.length * length > MOST_VALUES) return `has more than ${MOST_VALUES} numbers`;
    level = parts.flatMap((part) => part ?? []);
    dims.push(length);
  }
  if (level.length === 0) return "is empty";
  if (level.length > MOST_VALUES) return `has more than ${MOST_VALUES} numbers`;
  const values = level.filter((x) => typeof x === "number");
  if (values.length < level.length) return "holds something that is no number";
  if (!values.every(Number.isFinite)) return "holds a number beyond double precision";
  return { dims, values, whole: values.every(Number.isSafeInteger) };
}

function withImplied(fields: Map<string, Field>): Fields {
  const ids = fields.get(IDS);
  if (!ids) return fields;
  for (const [name, value] of Object.entries(IMPLIED)) {
    if (!fields.has(name)) fields.set(name, { dims: ids.dims, values: ids.values.map(() => value), whole: true });
  }
  return fields;
}

export function tensorOf({ dims, values }: Field, whole: boolean): HostTensor {
  return whole
    ? { dataType: DataType.INT64, dims: [1, ...dims], data: BigInt64Array.from(values, (x) => BigInt(x)) }
    : { dataType: DataType.FLOAT, dims: [1, ...dims], data: Float32Array.from(values) };
}
