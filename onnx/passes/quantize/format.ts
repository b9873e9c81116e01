/** The forms of quantization, by the names of the field. */
export const FORMATS = ["int8", "int8-dynamic", "int4", "fp16", "bf16"] as const;
export type Format = (typeof FORMATS)[number];
