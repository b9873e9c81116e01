/** Nodes before and after, and which operators went; opened: every rewrite with its count, and what was left. */
import type { FaceProps } from "../face.ts";
import { type SimplifyReport, simplifyReport } from "./report.ts";

const HUE = "var(--cat-optimise)";

export function Face({ report, large }: FaceProps) {
  const parsed = simplifyReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

const ROWS = 4;

function Small({ report }: { readonly report: SimplifyReport }) {
  const { nodes } = report;
  return (
    <svg viewBox="0 0 216 96" width="216" height="96" role="img" aria-label={sentence(report)}>
      <text y="14" fontSize="12" fill="var(--text-2)">
        <tspan>{nodes.before} to </tspan>
        <tspan fill="var(--text)" fontWeight="600">
          {nodes.after}
        </tspan>
        <tspan> nodes</tspan>
      </text>
      {changed(report)
        .slice(0, ROWS)
        .map((row, i) => (
          <Row key={row.opType} row={row} most={report.operators[0]?.before ?? 1} y={28 + i * 17} />
        ))}
    </svg>
  );
}

interface RowProps {
  readonly row: SimplifyReport["operators"][number];
  readonly most: number;
  readonly y: number;
}

/** The old count as a track, the new one on it. */
function Row({ row, most, y }: RowProps) {
  const width = (count: number) => (count === 0 ? 0 : Math.max(2, (64 * count) / Math.max(most, row.after)));
  return (
    <g transform={`translate(0 ${y})`} fontSize="11">
      <text y="9" fill="var(--text-2)">
        {row.opType.length > 15 ? `${row.opType.slice(0, 14)}…` : row.opType}
      </text>
      <rect x="96" y="1" width={width(row.before)} height="9" rx="2" fill="var(--surface-3)" />
      <rect x="96" y="1" width={width(row.after)} height="9" rx="2" fill={HUE} fillOpacity="0.8" />
      <text x="216" y="9" textAnchor="end" fill="var(--text-3)">
        {row.before} to {row.after}
      </text>
    </g>
  );
}

/** Largest change first. */
function changed({ operators }: SimplifyReport): SimplifyReport["operators"] {
  return operators
    .filter((row) => row.before !== row.after)
    .sort((a, b) => Math.abs(b.before - b.after) - Math.abs(a.before - a.after));
}

function Large({ report }: { readonly report: SimplifyReport }) {
  const { rules, left, difference, operators, warnings = [] } = report;
  return (
    <div style={{ display: "grid", gap: 16 }}>
      <p style={{ margin: 0 }}>{sentence(report)}</p>
      {warnings.map((warning) => (
        <p key={warning} style={{ margin: 0, color: "var(--state-stale)" }}>
          {warning}
        </p>
      ))}
      {difference && (
        <p style={{ margin: 0 }}>
          Measured on {difference.on === "noise" ? "made-up values" : `${difference.items} items`}:{" "}
          {Object.entries(difference.outputs).map(([name, { relative, unequal }]) => (
            <span key={name}>
              {name}{" "}
              {unequal === undefined ? `differs by ${relative.toExponential(1)} of its norm` : `differs in ${unequal}`}.{" "}
            </span>
          ))}
        </p>
      )}
      <svg viewBox={`0 0 216 ${operators.length * 17}`} width="216" height={operators.length * 17} role="img">
        <title>Operators before and after</title>
        {operators.map((row, i) => (
          <Row key={row.opType} row={row} most={operators[0]?.before ?? 1} y={i * 17} />
        ))}
      </svg>
      <table>
        <tbody>
          {rules.map(({ rule, count }) => (
            <tr key={rule}>
              <td>{rule}</td>
              <td style={{ textAlign: "right" }}>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {left.length > 0 && (
        <ul style={{ margin: 0, paddingLeft: 16, color: "var(--text-2)" }}>
          {left.map(({ rule, reason, count, nodes }) => (
            <li key={`${rule} ${reason}`} title={nodes.join("\n")}>
              {rule} left {count}: {reason}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function sentence({ nodes, initializers, opset }: SimplifyReport): string {
  const set = opset && opset.after !== opset.before ? `, operator set ${opset.before} became ${opset.after}` : "";
  return `${nodes.before} nodes became ${nodes.after}, ${initializers.before} constants ${initializers.after}${set}`;
}
