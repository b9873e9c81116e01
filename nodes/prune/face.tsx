/** Channels kept of each layer as bars on their full width; opened: by name, with the reason where all stayed. */
import type { FaceProps } from "../face.ts";
import { type PruneReport, pruneReport } from "./report.ts";

const HUE = "var(--cat-optimise)";

export function Face({ report, large }: FaceProps) {
  const parsed = pruneReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

interface Bar {
  readonly name: string;
  readonly left: number;
  readonly total: number;
}

/** What is left of each layer: channels, ranks, weights that are not zero; of each block, all or nothing. */
function barsOf({ groups, sparse, blocks, ranks }: PruneReport): readonly Bar[] {
  if (blocks) return blocks.map(({ node, removed }) => ({ name: node, left: removed ? 0 : 1, total: 1 }));
  if (ranks) return ranks.map(({ node, rank, fullRank }) => ({ name: node, left: rank ?? fullRank, total: fullRank }));
  if (sparse) return sparse.map(({ node, weights, zeros }) => ({ name: node, left: weights - zeros, total: weights }));
  return groups.map(({ name, kept, channels }) => ({ name, left: kept, total: channels }));
}

function Small({ report }: { readonly report: PruneReport }) {
  return (
    <svg viewBox="0 0 216 96" width="216" height="96" role="img" aria-label={sentence(report)}>
      <Columns bars={barsOf(report)} width={216} height={58} />
      <text y="76" fontSize="11" fill="var(--text-2)">
        {[work(report), time(report)].filter((part) => part !== undefined).join(", ")}
      </text>
      <text y="91" fontSize="11" fill="var(--text-3)">
        {error(report) ?? repairText(report)}
      </text>
    </svg>
  );
}

interface ColumnsProps {
  readonly bars: readonly Bar[];
  readonly width: number;
  readonly height: number;
}

/** One column a layer in graph order: full height is all of it, the filled part is what stayed. */
function Columns({ bars, width, height }: ColumnsProps) {
  const pitch = width / Math.max(1, bars.length);
  const thick = Math.max(1, pitch - Math.min(2, pitch / 4));
  const columns = bars.map((bar, i) => ({ ...bar, x: i * pitch }));
  return (
    <g>
      {columns.map(({ name, left, total, x }) => {
        const filled = total > 0 ? (height * left) / total : 0;
        return (
          <g key={x}>
            <title>{`${name}: ${left} of ${total}`}</title>
            <rect x={x} width={thick} height={height} fill="var(--surface-3)" />
            <rect x={x} y={height - filled} width={thick} height={filled} fill={HUE} fillOpacity="0.8" />
          </g>
        );
      })}
    </g>
  );
}

function Large({ report }: { readonly report: PruneReport }) {
  const { groups, pinned, sparse, blocks, ranks, notes } = report;
  return (
    <div style={{ display: "grid", gap: 16 }}>
      <p style={{ margin: 0 }}>{sentence(report)}</p>
      <svg viewBox="0 0 640 120" role="img" aria-label="What is left of each layer" style={{ width: "100%" }}>
        <Columns bars={barsOf(report)} width={640} height={120} />
      </svg>
      {notes.map((note) => (
        <p key={note} style={{ margin: 0, color: "var(--state-stale)" }}>
          {note}
        </p>
      ))}
      <table>
        <tbody>
          {groups.map(({ name, kept, channels, reason }) => (
            <tr key={name}>
              <td>{name}</td>
              <td style={{ textAlign: "right" }}>
                {kept} of {channels}
              </td>
              <td style={{ color: "var(--text-3)" }}>{reason}</td>
            </tr>
          ))}
          {(sparse ?? []).map(({ node, weights, zeros }) => (
            <tr key={node}>
              <td>{node}</td>
              <td style={{ textAlign: "right" }}>{((100 * zeros) / weights).toFixed(0)} % zero</td>
            </tr>
          ))}
          {(blocks ?? []).map(({ node, macsShare, removed }) => (
            <tr key={node}>
              <td>{node}</td>
              <td style={{ textAlign: "right" }}>{removed ? "out" : "stays"}</td>
              <td style={{ color: "var(--text-3)" }}>{(100 * macsShare).toFixed(1)} % of the multiply-adds</td>
            </tr>
          ))}
          {(ranks ?? []).map(({ node, rank, fullRank }) => (
            <tr key={node}>
              <td>{node}</td>
              <td style={{ textAlign: "right" }}>{rank === undefined ? "whole" : `rank ${rank} of ${fullRank}`}</td>
            </tr>
          ))}
          {pinned.map(({ node, channels, pinned: stays, reason }) => (
            <tr key={`pinned ${node}`}>
              <td>{node}</td>
              <td style={{ textAlign: "right" }}>
                {stays} of {channels} stay
              </td>
              <td style={{ color: "var(--text-3)" }}>{reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function work({ method, macsShare, sizeBytes, deflatedBytes }: PruneReport): string {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  if ((method === "unstructured" || method === "2:4") && deflatedBytes)
    return `${percent(deflatedBytes.after / deflatedBytes.before)} of the size compressed, no faster`;
  return `${percent(macsShare)} of MACs, ${percent(sizeBytes.after / sizeBytes.before)} of size`;
}

/** Measured where it was. */
function time({ latency }: PruneReport): string | undefined {
  const measured = latency?.measuredMs;
  const times = measured ?? latency?.predictedMs;
  if (!times) return undefined;
  return `${measured ? "" : "≈ "}${times.before.toFixed(2)} → ${times.after.toFixed(2)} ms`;
}

/** SQNR of the worst output. */
function error({ heldBack }: PruneReport): string | undefined {
  const figures = Object.values(heldBack?.outputs ?? {}).flatMap(({ sqnrDb }) => sqnrDb ?? []);
  if (figures.length === 0) return undefined;
  return `${Math.min(...figures).toFixed(1)} dB on ${heldBack?.items} held back`;
}

function repairText({ repair }: PruneReport): string {
  return repair.status === "done" ? `${repair.layers.length} layers refitted` : "not repaired";
}

function sentence(report: PruneReport): string {
  const parts = [work(report), time(report), error(report), repairText(report)].filter((part) => part !== undefined);
  return parts.join("; ");
}
