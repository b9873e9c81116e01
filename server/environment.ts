/** Settings that the environment gives. */
import { UserError } from "../nodes/context.ts";

/** A number from the environment; what is set and is none is refused rather than ignored. */
export function fromEnvironment(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!(value > 0)) {
    const message = `the environment sets ${name} to "${text}", which is no number above 0`;
    throw new UserError("bad-environment", message, `Set ${name} to a number, or unset it.`);
  }
  return value;
}
