"use client";
/** The parameters of a node as a form. A value enters the document once the schema accepts it; until then its reason
 * stands below the field. */
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import type { NodeDef } from "../../nodes/define.ts";
import type { JsonValue } from "../../pipelines/document/edit.ts";
import { FieldInput } from "./FieldInput.tsx";
import { type Field, fieldErrors, fieldsOf, sameValue } from "./formModel.ts";

interface Props {
  readonly def: NodeDef;
  readonly params: Readonly<Record<string, JsonValue>>;
  readonly onChange: (name: string, value: JsonValue | undefined) => void;
}

export function ParamForm({ def, params, onChange }: Props) {
  const saved = fieldErrors(def, params);
  return (
    <div className="form">
      {fieldsOf(def).map((field) => (
        <FieldRow
          key={field.name}
          field={field}
          value={field.name in params ? params[field.name] : field.fallback}
          changed={field.name in params && !sameValue(params[field.name], field.fallback)}
          error={saved[field.name]}
          check={(value) => fieldErrors(def, { ...params, [field.name]: value })[field.name]}
          onChange={(value) => onChange(field.name, sameValue(value, field.fallback) ? undefined : value)}
        />
      ))}
    </div>
  );
}

interface RowProps {
  readonly field: Field;
  readonly value: unknown;
  readonly changed: boolean;
  readonly error: string | undefined;
  readonly check: (value: JsonValue) => string | undefined;
  readonly onChange: (value: JsonValue | undefined) => void;
}

const WIDE = new Set(["list", "json", "source"]);

function FieldRow({ field, value, changed, error, check, onChange }: RowProps) {
  const [refused, setRefused] = useState<string>();
  const problem = refused ?? error;
  const offer = (next: JsonValue) => {
    const why = check(next);
    setRefused(why);
    if (why === undefined) onChange(next);
  };
  const reset = () => {
    setRefused(undefined);
    onChange(undefined);
  };
  const wide = WIDE.has(field.field.kind) ? "span" : "";
  const id = `param-${field.name}`;
  return (
    <>
      <label htmlFor={id} className={wide} title={field.help}>
        {field.title}
        {field.unit && <span className="unit">, {field.unit}</span>}
      </label>
      <div className={`value ${wide}`}>
        <FieldInput
          id={id}
          field={field}
          value={value}
          tone={problem ? "bad" : changed ? "changed" : ""}
          onValue={offer}
          onRefuse={setRefused}
        />
        {(changed || refused) && (
          <button
            type="button"
            className="reset"
            aria-label={`Reset ${field.title}`}
            title="Back to the default"
            onClick={reset}
          >
            <RotateCcw className="icon" />
          </button>
        )}
      </div>
      {problem && (
        <p className={`err ${wide}`} role="alert" data-testid={`error-${field.name}`}>
          {problem}
        </p>
      )}
      {field.help && wide && !problem && <p className="hint span">{field.help}</p>}
    </>
  );
}
