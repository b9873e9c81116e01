/** What strangers' JSON may hold that no schema would name: refused before any schema looks at it. */

const MAX_DEPTH = 64;

/** What is wrong with a value as `JSON.parse` gave it; undefined for nothing. Never overflows the stack. */
export function rawJsonProblem(raw: unknown): string | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: raw, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value !== "object" || value === null) continue;
    if (depth >= MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
    // Schemas drop this key in silence, since setting it would change the object's prototype.
    if (Object.hasOwn(value, "__proto__")) return '"__proto__" cannot be a name';
    for (const inner of Object.values(value)) open.push({ value: inner, depth: depth + 1 });
  }
  return undefined;
}
