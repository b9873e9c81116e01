/** Names that a user gives of nodes are taken from reports: one that is not there is a slip, never to be passed over. */
import { nearestName } from "../../nearestName.ts";
import { QuantizeError } from "./quantizeError.ts";

export function requireNames(parameter: string, given: readonly string[], names: readonly string[]): void {
  const known = new Set(names);
  const unknown = given.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const near = nearestName(unknown, names);
  throw new QuantizeError(
    "unknown-node",
    `${parameter} names "${unknown}", which the model does not have`,
    `${near ? `Did you mean "${near}"? ` : ""}Take the name from a report of load-model, quantize or autotune; a pass before this one may have merged the node away.`,
  );
}
