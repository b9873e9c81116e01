"use client";
/** The pipeline's runs: what each changed against the one before, and accuracy, speed and size that came of it. */
import Link from "next/link";
import type { Difference } from "../canvas/differences.ts";
import type { Value } from "../results/figures.ts";
import { fraction, megabytes, NONE, significant } from "../results/format.ts";
import { type HistoryRow, timeLabel } from "./history.ts";
import { Empty } from "./parts.tsx";

interface Props {
  readonly rows: readonly HistoryRow[];
  readonly pipeline: string;
  readonly current: string;
}

export function HistoryCard({ rows, pipeline, current }: Props) {
  const accuracyName = rows.find(({ accuracy }) => accuracy)?.accuracyName ?? "mAP50";
  const best = (of: (row: HistoryRow) => Value | undefined) => Math.max(...rows.flatMap((row) => of(row)?.value ?? []));
  const tops = { accuracy: best((row) => row.accuracy), speed: best((row) => row.speed) };
  return (
    <section className="card span-6" data-testid="history-card">
      <header>
        <h2>Runs</h2>
        <span className="hint">{pipeline}, newest first</span>
      </header>
      {rows.length === 0 ? (
        <div className="pad">
          <Empty>No run has ended yet</Empty>
        </div>
      ) : (
        <table className="runs" data-testid="runs-table">
          <thead>
            <tr>
              <th>Run</th>
              <th>What differs from the run before</th>
              <th className="num">{accuracyName}</th>
              <th className="num">Speed</th>
              <th className="num">MB</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.runId} className={row.runId === current ? "current" : ""}>
                <td title={new Date(row.startedAt).toLocaleString()}>
                  <Link href={`/runs/${row.runId}`}>{timeLabel(row.startedAt)}</Link>
                </td>
                <td>
                  {row.status !== "done" && <span className="badge bad">{row.status}</span>}{" "}
                  <Changes changes={row.changes} />
                </td>
                <Cell value={row.accuracy} show={fraction} best={tops.accuracy} />
                <Cell value={row.speed} show={times} best={tops.speed} />
                <Cell value={row.size} show={megabytes} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const times = (speed: number) => `${significant(speed)}×`;

function Changes({ changes }: { readonly changes: readonly Difference[] | undefined }) {
  if (!changes) return <span className="muted">first of these</span>;
  const [first] = changes;
  if (!first) return <span className="muted">nothing: run again</span>;
  const all = changes.map(({ what, mine, theirs }) => `${what}: ${named(what, theirs)} → ${named(what, mine)}`);
  return (
    <span title={all.join("\n")}>
      {all[0]}
      {all.length > 1 && <span className="muted"> and {all.length - 1} more</span>}
    </span>
  );
}

/** A document holds only the parameters that differ from their defaults. */
const named = (what: string, value: string) => (value === NONE && what.includes(".") ? "default" : value);

interface CellProps {
  readonly value: Value | undefined;
  readonly show: (value: number) => string;
  readonly best?: number;
}

function Cell({ value, show, best }: CellProps) {
  if (!value) return <td className="num">{NONE}</td>;
  if (value.provenance === "estimated") return <td className="num predicted">≈ {show(value.value)}</td>;
  return <td className={`num ${value.value === best ? "best" : ""}`}>{show(value.value)}</td>;
}
