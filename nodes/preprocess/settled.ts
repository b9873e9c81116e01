/** The parameters that hold where settings are wired in: a preprocess's as they are, a model's where nothing is set here. */
import { UserError } from "../context.ts";
import { differs, entry, modelSettings, type PreprocessParams, preprocessSettings, setHere } from "./schema.ts";

export interface Settled {
  readonly params: PreprocessParams;
  /** In words: what is set here and differs from what the model wants. */
  readonly departures: readonly string[];
}

/** `json` is the wired settings; throws `bad-settings` where it is none. */
export function settled(params: PreprocessParams, json: unknown): Settled {
  const same = preprocessSettings.safeParse(json);
  if (same.success) {
    const { kind: _, version: __, ...settings } = same.data;
    return { params: settings, departures: [] };
  }
  const wanted = modelSettings.safeParse(json);
  if (!wanted.success) {
    const fix = "Wire those of a preprocess or a model.";
    throw new UserError("bad-settings", "The wired settings are not those of a preprocess or a model.", fix);
  }
  const { title, preprocess: stated } = wanted.data;
  if (!stated) return { params, departures: [] };
  const own = setHere(params);
  const departures = Object.entries(own)
    .filter(([name, value]) => differs(stated, name, value))
    .map(([name, value]) => {
      return `${name} is ${JSON.stringify(value)} as set here; ${title} wants ${JSON.stringify(entry(stated, name))}`;
    });
  return { params: { ...stated, ...own }, departures };
}
