"use client";
/** A title that a double click or Enter turns into a field. */
import { type KeyboardEvent, useState } from "react";

export function EditableTitle({
  title,
  onTitle,
}: {
  readonly title: string;
  readonly onTitle: (title: string) => void;
}) {
  const [draft, setDraft] = useState<string>();
  if (draft === undefined) {
    return (
      <h3 className="cut grow" onDoubleClick={() => setDraft(title)}>
        {title}
      </h3>
    );
  }
  const finish = (value: string) => {
    setDraft(undefined);
    if (value.trim() !== title) onTitle(value.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Enter") finish(draft);
    if (event.key === "Escape") setDraft(undefined);
  };
  return (
    <input
      className="title-input nodrag grow"
      aria-label="Title"
      // biome-ignore lint/a11y/noAutofocus: the user asked for this field by a double click
      autoFocus
      value={draft}
      maxLength={200}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={() => finish(draft)}
      onKeyDown={onKeyDown}
    />
  );
}
