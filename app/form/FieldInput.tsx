"use client";
/** One field by its kind. Text and numbers keep a draft while the user types; every other kind answers at once. */
import { Check, ChevronDown } from "lucide-react";
import { Select, Switch, ToggleGroup } from "radix-ui";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { JsonValue } from "../../pipelines/document/edit.ts";
import type { Field } from "./formModel.ts";
import { ListField } from "./ListField.tsx";
import { SourceField } from "./SourceField.tsx";

export interface FieldInputProps {
  readonly id: string;
  readonly field: Field;
  readonly value: unknown;
  /** Red where wrong, teal where changed. */
  readonly tone: "" | "changed" | "bad";
  readonly onValue: (value: JsonValue) => void;
  /** The text is no value of this kind at all. */
  readonly onRefuse: (why: string) => void;
}

/** Up to this many short options stand side by side. */
const SEGMENTS = 4;
const SEGMENT_LETTERS = 14;

export function FieldInput(props: FieldInputProps) {
  const { id, field, value, tone, onValue } = props;
  switch (field.field.kind) {
    case "switch":
      return (
        <Switch.Root id={id} data-testid={id} className="switch" checked={value === true} onCheckedChange={onValue}>
          <Switch.Thumb asChild>
            <span />
          </Switch.Thumb>
        </Switch.Root>
      );
    case "choice": {
      const { options } = field.field;
      const short = options.length <= SEGMENTS && options.join("").length <= SEGMENT_LETTERS;
      return short ? <Segments {...props} options={options} /> : <Dropdown {...props} options={options} />;
    }
    case "number":
      return <NumberField {...props} />;
    case "source":
      return (
        <SourceField id={id} source={field.field.source} value={String(value ?? "")} tone={tone} onValue={onValue} />
      );
    case "list":
      return <ListField {...props} />;
    case "text":
      return <DraftField {...props} text={String(value ?? "")} onText={onValue} />;
    case "json":
      return <JsonField {...props} />;
  }
}

type ChoiceProps = FieldInputProps & { readonly options: readonly (string | number)[] };

function Segments({ id, value, tone, options, onValue }: ChoiceProps) {
  const choose = (text: string) => {
    const option = options.find((o) => String(o) === text);
    if (option !== undefined) onValue(option);
  };
  return (
    <ToggleGroup.Root
      id={id}
      data-testid={id}
      className={`seg ${tone}`}
      type="single"
      value={String(value)}
      onValueChange={choose}
    >
      {options.map((option) => (
        <ToggleGroup.Item key={option} value={String(option)}>
          {option}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}

function Dropdown({ id, value, tone, options, onValue }: ChoiceProps) {
  const choose = (text: string) => {
    const option = options.find((o) => String(o) === text);
    if (option !== undefined) onValue(option);
  };
  return (
    <Select.Root value={String(value)} onValueChange={choose}>
      <Select.Trigger id={id} data-testid={id} className={`field select ${tone}`}>
        <Select.Value />
        <ChevronDown className="icon" />
      </Select.Trigger>
      <Select.Portal>
        <Select.Content className="menu" position="popper" sideOffset={4} collisionPadding={8}>
          <Select.Viewport>
            {options.map((option) => (
              <Select.Item key={option} value={String(option)} className="menu-item">
                <span className="grow">
                  <Select.ItemText>{option}</Select.ItemText>
                </span>
                <Select.ItemIndicator>
                  <Check className="icon" />
                </Select.ItemIndicator>
              </Select.Item>
            ))}
          </Select.Viewport>
        </Select.Content>
      </Select.Portal>
    </Select.Root>
  );
}

function NumberField(props: FieldInputProps) {
  const { field, value, onValue, onRefuse } = props;
  if (field.field.kind !== "number") return null;
  const { integer, min, max } = field.field;
  const step = integer ? 1 : 0.1;
  const offer = (text: string) => {
    const next = Number(text.replace(",", "."));
    if (text.trim() === "" || !Number.isFinite(next)) onRefuse("A number");
    else onValue(next);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const way = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (way === 0) return;
    event.preventDefault();
    const next = Number((Number(event.currentTarget.value) + way * step * (event.shiftKey ? 10 : 1)).toPrecision(12));
    onValue(Math.min(max ?? next, Math.max(min ?? next, next)));
  };
  return <DraftField {...props} text={String(value ?? "")} onText={offer} onKeyDown={onKeyDown} numeric />;
}

function JsonField(props: FieldInputProps) {
  const offer = (text: string) => {
    try {
      props.onValue(JSON.parse(text));
    } catch {
      props.onRefuse("Not JSON");
    }
  };
  return <DraftField {...props} text={JSON.stringify(props.value ?? null)} onText={offer} lines />;
}

type DraftProps = FieldInputProps & {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onKeyDown?: (event: KeyboardEvent<HTMLInputElement>) => void;
  readonly numeric?: boolean;
  readonly lines?: boolean;
};

/** A moment after the last key the draft is offered; leaving the field or Enter offers it at once. */
const PAUSE_MS = 350;

function DraftField({ id, tone, text, onText, onKeyDown, numeric, lines }: DraftProps) {
  const [draft, setDraft] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a value from outside (undo, a reset) ends the draft
  useEffect(() => setDraft(undefined), [text]);
  const offer = (value: string | undefined) => {
    clearTimeout(timer.current);
    if (value !== undefined && value !== text) onText(value);
  };
  const change = (value: string) => {
    setDraft(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => offer(value), PAUSE_MS);
  };
  const shared = {
    id,
    "data-testid": id,
    "aria-invalid": tone === "bad",
    value: draft ?? text,
    spellCheck: false,
    onBlur: () => offer(draft),
  };
  if (lines) {
    return <textarea {...shared} className={`field ${tone}`} onChange={(event) => change(event.target.value)} />;
  }
  return (
    <input
      {...shared}
      className={`field ${numeric ? "mono" : ""} ${tone}`}
      inputMode={numeric ? "decimal" : "text"}
      onChange={(event) => change(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") offer(draft);
        onKeyDown?.(event);
      }}
    />
  );
}
