/** A bar of SQNR for each output, the worst first; of embeddings the cosine, mean and least. */
import type { z } from "zod";
import type { FaceProps } from "../face.ts";
import { agreementReport } from "./report.ts";

type Outputs = z.output<typeof agreementReport>["outputs"];

/** Bars end here: an INT8 model that is this close is as good as the original. */
const FULL_DB = 60;
const ROW = 24;
const SMALL = 4;

export function Face({ report, large }: FaceProps) {
  const parsed = agreementReport.safeParse(report);
  if (!parsed.success) return null;
  const rows = Object.entries(parsed.data.outputs).sort(([, a], [, b]) => strength(a) - strength(b));
  const shown = large ? rows : rows.slice(0, SMALL);
  const height = large ? shown.length * ROW : 96;
  return (
    <svg
      viewBox={`0 0 216 ${height}`}
      width={large ? "100%" : 216}
      height={large ? undefined : height}
      role="img"
      aria-label="SQNR by output"
    >
      {shown.map(([name, output], i) => (
        <g key={name} transform={`translate(0 ${i * ROW})`} fontSize={11}>
          <title>{sentence(output)}</title>
          <text y={10} fill="var(--text-2)">
            {shortened(name, parsed.data.pool ? 10 : 22)}
          </text>
          <text x={216} y={10} textAnchor="end" fill="var(--text)">
            {headline(output, parsed.data.pool !== undefined)}
          </text>
          <rect y={14} width={216} height={5} rx={2} fill="var(--surface-3)" />
          <rect
            y={14}
            width={(216 * strength(output)) / FULL_DB}
            height={5}
            rx={2}
            fill="var(--cat-report)"
            fillOpacity={0.8}
          />
        </g>
      ))}
    </svg>
  );
}

function shortened(name: string, most: number): string {
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

function strength({ sqnrDb, identical }: Outputs[string]): number {
  if (identical) return FULL_DB;
  return Math.min(FULL_DB, Math.max(0, sqnrDb ?? 0));
}

function headline({ sqnrDb, identical, cosineMean, cosineMin }: Outputs[string], pooled: boolean): string {
  if (identical) return "equal";
  if (pooled && cosineMean !== undefined && cosineMin !== undefined) {
    return `cosine ${cosineMean.toFixed(4)}, least ${cosineMin.toFixed(4)}`;
  }
  return sqnrDb === undefined ? "–" : `${sqnrDb.toFixed(1)} dB`;
}

function sentence({ cosine, maxAbs }: Outputs[string]): string {
  return `cosine ${cosine?.toFixed(5) ?? "–"}, largest difference ${maxAbs?.toPrecision(3) ?? "–"}`;
}
