/**
 * A form made from a node's zod schema: its JSON Schema says which kind of field each parameter is. Adding a parameter
 * to a schema is all it takes to see it here.
 */
import { z } from "zod";
import type { NodeDef } from "../../nodes/define.ts";

export const SOURCES = ["model", "images", "labels", "video", "file"] as const;
export type SourceKind = (typeof SOURCES)[number];

export type FieldKind =
  | { readonly kind: "source"; readonly source: SourceKind }
  | { readonly kind: "text" }
  | { readonly kind: "number"; readonly integer: boolean; readonly min?: number; readonly max?: number }
  | { readonly kind: "choice"; readonly options: readonly (string | number)[] }
  | { readonly kind: "switch" }
  | { readonly kind: "list"; readonly item: "text" | "number" }
  /** Anything deeper is edited as JSON. */
  | { readonly kind: "json" };

export interface Field {
  readonly name: string;
  readonly title: string;
  readonly help?: string;
  readonly unit?: string;
  readonly fallback: unknown;
  readonly field: FieldKind;
}

/** The part of JSON Schema that zod writes for parameters, with the meta of `define.ts`. */
const bound = z.number().optional();
const option = z.union([z.string(), z.number()]);
const schemaNode = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(option).optional(),
  /** A union of literals. */
  anyOf: z
    .array(z.looseObject({ const: option }))
    .optional()
    .catch(undefined),
  minimum: bound,
  maximum: bound,
  exclusiveMinimum: z.union([z.number(), z.boolean()]).optional(),
  exclusiveMaximum: z.union([z.number(), z.boolean()]).optional(),
  items: z.looseObject({ type: z.string().optional() }).optional().catch(undefined),
  default: z.unknown(),
  title: z.string().optional(),
  help: z.string().optional(),
  unit: z.string().optional(),
  source: z.enum(SOURCES).optional(),
});
type SchemaNode = z.infer<typeof schemaNode>;

const cache = new WeakMap<NodeDef, readonly Field[]>();

export function fieldsOf(def: NodeDef): readonly Field[] {
  const known = cache.get(def);
  if (known) return known;
  const schema = z.toJSONSchema(def.params, { io: "input", unrepresentable: "any" });
  const fields = Object.entries(schema.properties ?? {}).map(([name, raw]): Field => {
    const node = schemaNode.parse(raw);
    return {
      name,
      title: node.title ?? titleFrom(name),
      help: node.help,
      unit: node.unit,
      fallback: node.default,
      field: kindOf(node),
    };
  });
  cache.set(def, fields);
  return fields;
}

function kindOf(node: SchemaNode): FieldKind {
  if (node.source) return { kind: "source", source: node.source };
  const options = node.enum ?? node.anyOf?.map((one) => one.const);
  if (options) return { kind: "choice", options };
  if (node.type === "boolean") return { kind: "switch" };
  if (node.type === "number" || node.type === "integer") {
    const integer = node.type === "integer";
    return { kind: "number", integer, min: lowest(node), max: highest(node) };
  }
  if (node.type === "string") return { kind: "text" };
  const item = node.items?.type;
  if (node.type === "array" && item === "string") return { kind: "list", item: "text" };
  if (node.type === "array" && (item === "number" || item === "integer")) return { kind: "list", item: "number" };
  return { kind: "json" };
}

/** zod's safe-integer bounds are no bounds that a person would ask for. */
const usual = (value: number | undefined) =>
  value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
const lowest = (node: SchemaNode) =>
  usual(node.minimum ?? (typeof node.exclusiveMinimum === "number" ? node.exclusiveMinimum : undefined));
const highest = (node: SchemaNode) =>
  usual(node.maximum ?? (typeof node.exclusiveMaximum === "number" ? node.exclusiveMaximum : undefined));

/** `maxDetections` to "Max detections". */
function titleFrom(name: string): string {
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function sameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What is wrong with each parameter, in zod's words, by parameter name. */
export function fieldErrors(def: NodeDef, params: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const parsed = def.params.safeParse(params);
  if (parsed.success) return {};
  const errors: Record<string, string> = {};
  for (const issue of parsed.error.issues) {
    const name = String(issue.path[0] ?? "");
    errors[name] ??= issue.message;
  }
  return errors;
}

/** One line for the node: what differs from the defaults; with nothing changed, what its choices stand at. */
export function summaryOf(def: NodeDef, params: Readonly<Record<string, unknown>>): string {
  const fields = fieldsOf(def);
  const changed = fields.filter((f) => f.name in params && !sameValue(params[f.name], f.fallback));
  const size = changed.filter((f) => f.name === "width" || f.name === "height");
  if (size.length === 2) {
    const others = changed.filter((f) => !size.includes(f)).map((f) => wordOf(f, params[f.name]));
    return [`${params.width}×${params.height}`, ...others].filter(Boolean).join(" · ");
  }
  const told = changed.length > 0 ? changed : fields.filter((f) => f.field.kind === "choice").slice(0, 2);
  return told
    .map((f) => wordOf(f, f.name in params ? params[f.name] : f.fallback))
    .filter(Boolean)
    .join(" · ");
}

function wordOf({ title, unit, field }: Field, value: unknown): string {
  const name = title.toLowerCase();
  if (field.kind === "switch") return value ? name : `no ${name}`;
  if (field.kind === "choice") return String(value);
  if (typeof value === "string") return baseName(value);
  if (typeof value === "number") return `${name} ${value}${unit ? ` ${unit}` : ""}`;
  if (Array.isArray(value)) {
    return field.kind === "list" && field.item === "number" ? `${name} ${value.join("×")}` : `${value.length} ${name}`;
  }
  return name;
}

/** `sha256:HEX#NAME` and `a/b/NAME` to `NAME`. */
export function baseName(source: string): string {
  if (source.startsWith("sha256:")) return source.split("#")[1] ?? source.slice(0, 15);
  return source.split("/").filter(Boolean).slice(-2).join("/");
}
