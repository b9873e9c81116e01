/** Which params of a node name files: a model, pictures, labels. The schema's meta says so. */
import { z } from "zod";
import type { NodeDef } from "../../nodes/define.ts";

export interface SourceParam {
  readonly name: string;
  /** `model`, `images`, `labels`, `video` or `file`. */
  readonly kind: string;
  readonly optional: boolean;
  readonly title: string;
}

export function sourceParams(def: NodeDef): readonly SourceParam[] {
  return Object.entries(def.params.shape).flatMap(([name, field]) => {
    const meta = field instanceof z.ZodType ? field.meta() : undefined;
    if (meta?.source === undefined) return [];
    return [{ name, kind: String(meta.source), optional: meta.optional === true, title: String(meta.title ?? name) }];
  });
}
