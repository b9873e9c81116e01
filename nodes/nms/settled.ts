/** The parameters that hold where a model's settings are wired in: they answer "auto", and name classes where none are set. */
import { UserError } from "../context.ts";
import { type NmsParams, settingsForNms } from "./schema.ts";

/** `json` is the wired settings; throws `bad-settings` where it is none. */
export function settled(params: NmsParams, json: unknown): NmsParams {
  const parsed = settingsForNms.safeParse(json);
  if (!parsed.success) {
    throw new UserError("bad-settings", "The wired settings are not those of a model.", "Wire load-model's settings.");
  }
  const { decoder = "auto", classes = "" } = parsed.data.nms ?? {};
  return {
    ...params,
    decoder: params.decoder === "auto" ? decoder : params.decoder,
    classes: params.classes === "" ? classes : params.classes,
  };
}
