/** The plain figures of any report as name and text: what a person can read without knowing the report's kind. */
import { bytes, fraction, shapeText, significant } from "./format.ts";

const HIDDEN = new Set(["kind", "version", "provenance", "sqnr"]);
const AT_MOST = 12;

export function factsOf(report: Readonly<Record<string, unknown>> | undefined): (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = [];
  for (const [key, value] of Object.entries(report ?? {})) {
    const text = HIDDEN.has(key) ? undefined : factText(key, value);
    if (text !== undefined) facts.push([words(key), text]);
  }
  return facts.slice(0, AT_MOST);
}

function factText(key: string, value: unknown): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return numberText(key, value);
  if (Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === "number") && value.length <= 5) {
    return shapeText(value);
  }
  return undefined;
}

/** The unit stands in the name: `p50Ms`, `sizeBytes`, `sqnrDb`. */
function numberText(key: string, value: number): string {
  if (/bytes/i.test(key)) return bytes(value);
  if (/Ms$/.test(key)) return `${significant(value)} ms`;
  if (/Db$/.test(key)) return `${significant(value)} dB`;
  if (/^(mAP|AP|top[15])/.test(key)) return fraction(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return significant(value);
}

const WORDS: Readonly<Record<string, string>> = {
  macs: "MACs",
  irVersion: "IR version",
  sizeBytes: "Size",
};

function words(key: string): string {
  if (/^(mAP|AP)/.test(key)) return key;
  const known = WORDS[key];
  if (known) return known;
  const bare = key
    .replace(/(Ms|Db)$/, "")
    .replace(/Bytes$/, "Size")
    .replace(/^bytes(?=[A-Z])/, "size");
  const spaced = bare.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
