"use client";
/** A list of words or numbers as chips, with a field that adds one (or several, parted by commas). */
import { X } from "lucide-react";
import { useState } from "react";
import type { JsonValue } from "../../pipelines/document/edit.ts";
import type { FieldInputProps } from "./FieldInput.tsx";

export function ListField({ id, field, value, tone, onValue, onRefuse }: FieldInputProps) {
  const [draft, setDraft] = useState("");
  if (field.field.kind !== "list") return null;
  const numeric = field.field.item === "number";
  const items: readonly JsonValue[] = Array.isArray(value) ? value : [];
  const add = () => {
    const words = draft
      .split(",")
      .map((word) => word.trim())
      .filter(Boolean);
    if (words.length === 0) return;
    const added = numeric ? words.map(Number) : words;
    if (added.some((item) => Number.isNaN(item))) return onRefuse("Numbers, parted by commas");
    setDraft("");
    onValue([...items, ...added]);
  };
  return (
    <div className="chips grow">
      {items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: equal entries are told apart by nothing else
        <span className="badge" key={index}>
          <span className="cut">{String(item)}</span>
          <button
            type="button"
            aria-label={`Remove ${String(item)}`}
            onClick={() => onValue(items.filter((_, other) => other !== index))}
          >
            <X className="icon" />
          </button>
        </span>
      ))}
      <input
        id={id}
        data-testid={id}
        className={`field ${tone}`}
        placeholder="add"
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={add}
        onKeyDown={(event) => event.key === "Enter" && add()}
      />
    </div>
  );
}
