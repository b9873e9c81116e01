/** Lookup by a name that a stranger chose: `constructor` and `__proto__` are never found. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
