/** Shapes of a model's inputs and outputs as its report tells them: `1×3×352×352 f32`. */
import { z } from "zod";
import { shapeText } from "./format.ts";

const values = z.array(z.looseObject({ shape: z.array(z.unknown()).optional(), dtype: z.string().optional() }));
const model = z.looseObject({ inputs: values, outputs: values });

export interface ModelShapes {
  readonly input: string;
  readonly output: string;
}

/** The first of each side, and how many more there are; undefined where the report tells no shapes. */
export function shapesOf(report: unknown): ModelShapes | undefined {
  const parsed = model.safeParse(report);
  if (!parsed.success) return undefined;
  return { input: side(parsed.data.inputs), output: side(parsed.data.outputs) };
}

function side(list: z.infer<typeof values>): string {
  const [first] = list;
  if (!first?.shape) return "?";
  const more = list.length > 1 ? ` +${list.length - 1}` : "";
  return [shapeText(first.shape), first.dtype].filter(Boolean).join(" ") + more;
}
