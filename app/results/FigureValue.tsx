/** Before → after: measured plain and bold, predicted grey italic with ≈ and its interval, unknown a dash. */
import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";
import type { Value } from "./figures.ts";
import { NONE } from "./format.ts";

interface Props {
  readonly before: Value | undefined;
  readonly after: Value | undefined;
  readonly show: (value: number) => string;
  readonly unit: string;
  readonly children?: ReactNode;
}

export function FigureValue({ before, after, show, unit, children }: Props) {
  if (!before && !after) return <span className="v unknown">{NONE}</span>;
  return (
    <span className="v">
      {before && (
        <>
          <OneValue value={before} show={show} />
          <ArrowRight className="icon arrow" role="img" aria-label="to" aria-hidden={false} />
        </>
      )}
      {after ? <OneValue value={after} show={show} strong /> : <span className="unknown">{NONE}</span>}
      {unit && <small> {unit}</small>}
      {children}
    </span>
  );
}

interface OneProps {
  readonly value: Value;
  readonly show: (value: number) => string;
  readonly strong?: boolean;
}

function OneValue({ value, show, strong }: OneProps) {
  if (value.provenance === "measured") return strong ? <b>{show(value.value)}</b> : <span>{show(value.value)}</span>;
  const range = value.interval && ` (${show(value.interval[0])}–${show(value.interval[1])})`;
  return (
    <span className="predicted">
      ≈ {show(value.value)}
      {range && <small>{range}</small>}
    </span>
  );
}
