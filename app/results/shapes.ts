/** Shapes of a model's inputs and outputs as its report tells them: `1×3×352×352 → 1×85×22×22`. */
import { z } from "zod";
import { shapeText } from "./format.ts";

const values = z.array(z.looseObject({ shape: z.array(z.unknown()) }));
const model = z.looseObject({ inputs: values, outputs: values });

export function shapesOf(report: unknown): string | undefined {
  const parsed = model.safeParse(report);
  if (!parsed.success) return undefined;
  const side = (list: z.infer<typeof values>) => {
    const [first] = list;
    if (!first) return "?";
    return `${shapeText(first.shape)}${list.length > 1 ? ` +${list.length - 1}` : ""}`;
  };
  return `${side(parsed.data.inputs)} → ${side(parsed.data.outputs)}`;
}
