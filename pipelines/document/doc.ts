/** The saved pipeline: its exact format. A document holds no secret, no absolute path and no code. */
import { z } from "zod";

const ID = /^[a-z0-9-]+$/;
const ENDPOINT = /^[a-z0-9-]+\.[a-zA-Z0-9-]+$/;

const finite = z.number();
const nodeSchema = z.strictObject({
  type: z.string().regex(ID),
  version: z.int().positive(),
  /** Only what differs from the defaults. */
  params: z.record(z.string(), z.json()).default({}),
  position: z.strictObject({ x: finite, y: finite }).default({ x: 0, y: 0 }),
  title: z.string().max(200).optional(),
});

const edgeSchema = z.strictObject({
  /** `NODE.PORT` */
  from: z.string().regex(ENDPOINT),
  to: z.string().regex(ENDPOINT),
});

export const FORMAT = "edgewright.pipeline";
export const FORMAT_VERSION = 1;

export const pipelineDocSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  name: z.string().regex(ID).max(100),
  target: z.string().regex(ID).default("local-cpu"),
  nodes: z.record(z.string().regex(ID), nodeSchema),
  edges: z.array(edgeSchema).max(5000),
});

export type PipelineDoc = z.output<typeof pipelineDocSchema>;
export type PipelineNode = PipelineDoc["nodes"][string];
export type PipelineEdge = PipelineDoc["edges"][number];

export interface Endpoint {
  readonly node: string;
  readonly port: string;
}

export function parseEndpoint(text: string): Endpoint {
  const dot = text.indexOf(".");
  return { node: text.slice(0, dot), port: text.slice(dot + 1) };
}

/** Canonical text: sorted keys, two spaces, edges sorted, final newline, so that diffs are small. */
export function serializeDoc(doc: PipelineDoc): string {
  const edges = [...doc.edges].sort((a, b) => (a.to + a.from < b.to + b.from ? -1 : 1));
  return `${JSON.stringify(sortKeys({ ...doc, edges }), null, 2)}\n`;
}

/** The same value with the keys of every object sorted; the base of canonical JSON and of cache keys. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sortKeys(v)]),
  );
}
