/** Operators that move or select elements: what goes in comes out, so integers pass through under one scale. */
import type { CarryRule, FloatRule } from "./quantizeRule.ts";

/** The first input carries data, the others say how. */
export const carriesFirst: CarryRule = { kind: "carry", inputs: () => [0] };

/** Every input carries data (Concat). */
export const carriesAll: CarryRule = { kind: "carry", inputs: (node) => node.inputs.map((_, i) => i) };

/** The largest of integers is the integer of the largest; the indices' output would be lost. */
export const maxPoolQuantize: CarryRule = {
  kind: "carry",
  inputs: (node) => (node.outputs[1] ? undefined : [0]),
};

/** Nearest neighbours are copies; interpolation makes new values, which runtimes round down in integers. */
export const resizeQuantize: CarryRule = {
  kind: "carry",
  inputs: (node) => ((node.string("mode") ?? "nearest") === "nearest" ? [0] : undefined),
};

export const staysFloat = (reason: string): FloatRule => ({ kind: "float", reason });
