import { z } from "zod";
import { type CheckInfo, type Diagnostic, defineNode } from "../define.ts";

const side = z.int().min(1).max(8192);
const perChannel = z.array(z.number()).length(3);

export const preprocessParams = z.strictObject({
  width: side.default(640).meta({ title: "Width", unit: "px", help: "Of the network's input." }),
  height: side.default(640).meta({ title: "Height", unit: "px" }),
  mode: z.enum(["letterbox-center", "letterbox-topleft", "stretch", "crop"]).default("letterbox-center").meta({
    title: "Fit",
    help: "Letterbox keeps the aspect and pads; crop keeps it and cuts; stretch does neither.",
  }),
  pad: z.int().min(0).max(255).default(114).meta({ title: "Pad value", help: "Grey of the letterbox, 0 to 255." }),
  interpolation: z.enum(["linear", "area", "cubic"]).default("linear").meta({
    title: "Interpolation",
    help: "As OpenCV names them; take the one that the model was trained with.",
  }),
  colorOrder: z.enum(["RGB", "BGR"]).default("RGB").meta({ title: "Colour order" }),
  scale: z
    .number()
    .default(1 / 255)
    .meta({ title: "Scale", help: "x = (value * scale - mean) / std, value 0 to 255." }),
  mean: perChannel.default([0, 0, 0]).meta({ title: "Mean", help: "By channel of the tensor, after the scale." }),
  std: perChannel
    .refine((std) => std.every((x) => x !== 0), "A standard deviation cannot be 0.")
    .default([1, 1, 1])
    .meta({ title: "Std", help: "By channel of the tensor." }),
  layout: z.enum(["NCHW", "NHWC"]).default("NCHW").meta({ title: "Layout" }),
  dtype: z.enum(["f32", "f16", "u8"]).default("f32").meta({ title: "Type", help: "u8 rounds and clips to 0..255." }),
});

export type PreprocessParams = z.output<typeof preprocessParams>;

const settingsHead = { kind: z.literal("settings"), version: z.literal(1) };

/** The `settings` artifact: what a preprocess did, so that another does the same. */
export const preprocessSettings = preprocessParams.extend(settingsHead);

/** The `settings` of a known model: what it wants; the part for nms is not read here. */
export const modelSettings = z.looseObject({
  ...settingsHead,
  title: z.string(),
  preprocess: preprocessParams.optional(),
});

export const preprocess = defineNode({
  type: "preprocess",
  version: 1,
  title: "Preprocess",
  category: "Vision",
  icon: "crop",
  doc: "Pictures to the network's input: fit, interpolate, order, scale, lay out. Resizes as OpenCV does.",
  params: preprocessParams,
  inputs: {
    source: { kinds: ["images", "frames"], doc: "Pictures." },
    settings: {
      kinds: ["settings"],
      optional: true,
      doc: "Of another preprocess: they win over the parameters here. Of a model: they hold where nothing is set here.",
    },
  },
  outputs: {
    tensors: { kind: "tensors", doc: "One tensor a picture, with the way back to its pixels." },
    settings: { kind: "settings", doc: "The settings used." },
  },
  effects: "pure",
  resources: ["cpu"],
  check: disagreements,
  migrations: {},
});

/** A parameter set here that the wired settings overrule would mislead its reader. */
function disagreements(params: PreprocessParams, info: CheckInfo): Omit<Diagnostic, "nodeId">[] {
  const from = info.wired.settings?.find(({ type }) => type === "preprocess");
  const upstream = from ? preprocessParams.safeParse(from.params) : undefined;
  if (!upstream?.success) return [];
  const overruled = Object.entries(setHere(params)).filter(([name, value]) => differs(upstream.data, name, value));
  return overruled.map(([name]) => ({
    code: "settings-win",
    severity: "warning" as const,
    portId: "settings",
    message: `${name} is set here, but the wired settings say otherwise and win.`,
    fix: `Reset ${name}, or cut the settings wire.`,
  }));
}

/** The parameters that are not at their defaults. */
export function setHere(params: PreprocessParams): Partial<PreprocessParams> {
  const defaults = preprocessParams.parse({});
  return Object.fromEntries(Object.entries(params).filter(([name, value]) => differs(defaults, name, value)));
}

export function differs(from: PreprocessParams, name: string, value: unknown): boolean {
  return JSON.stringify(value) !== JSON.stringify(entry(from, name));
}

export function entry(params: PreprocessParams, name: string): unknown {
  return Object.entries(params).find(([key]) => key === name)?.[1];
}
