/** The tensors by name, each with its type and how many numbers an example has. */
import type { FaceProps } from "../face.ts";
import { tensorsReport } from "./report.ts";

const ROW = 20;
const SMALL = 3;

export function Face({ report, large }: FaceProps) {
  const parsed = tensorsReport.safeParse(report);
  if (!parsed.success) return null;
  const { examples, setApart, tensors } = parsed.data;
  const rows = Object.entries(tensors);
  const shown = large ? rows : rows.slice(0, SMALL);
  const height = large ? 28 + shown.length * ROW : 96;
  return (
    <svg
      viewBox={`0 0 216 ${height}`}
      width={large ? "100%" : 216}
      height={large ? undefined : height}
      role="img"
      aria-label={`${examples} examples`}
    >
      <text y={14} fontSize={13} fill="var(--text)">
        {examples} examples
        {setApart > 0 && <tspan fill="var(--text-2)">{`, ${setApart} set apart`}</tspan>}
      </text>
      {shown.map(([name, { type, least, most }], i) => (
        <g key={name} transform={`translate(0 ${36 + i * ROW})`} fontSize={11}>
          <title>{`${name}, ${type}`}</title>
          <text fill="var(--text-2)">{name.length > 22 ? `${name.slice(0, 21)}…` : name}</text>
          <text x={216} textAnchor="end" fill="var(--text)">
            {least === most ? most : `${least} to ${most}`}
          </text>
        </g>
      ))}
    </svg>
  );
}
