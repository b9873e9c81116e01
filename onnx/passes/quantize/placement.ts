/**
 * Where a node of the graph computes, and how its weight is stored. Integers do not pay everywhere: a placement says of
 * each layer which form it takes, and of each operator that only moves elements whether it moves integers.
 */
export const FORMS = ["int8", "weights", "float"] as const;
/** `int8` computes in integers; `weights` stores the weight in 8 bits and computes in float; `float` changes nothing. */
export type Form = (typeof FORMS)[number];

/** By node name; a layer that it does not name is quantized as the other options say. */
export type Placement = ReadonlyMap<string, Form>;
