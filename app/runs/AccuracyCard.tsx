/** Accuracy of the candidate beside the original's on the same images. */
import { fraction, NONE } from "../results/format.ts";
import { ProvenanceBadge } from "../results/ProvenanceBadge.tsx";
import { Empty } from "./parts.tsx";
import type { EvaluateFigures, Sides } from "./reports.ts";

const CLASSES = 6;

export function AccuracyCard({ sides }: { readonly sides: Sides<EvaluateFigures> }) {
  const main = sides.after ?? sides.before;
  return (
    <section className="card span-3" data-testid="accuracy-card">
      <header>
        <h2>Accuracy</h2>
        <ProvenanceBadge provenance={main?.provenance} />
        <span className="grow" />
        {main?.images !== undefined && <span className="hint">{main.images} images</span>}
      </header>
      {main ? (
        <table>
          <thead>
            <tr>
              <th>Figure</th>
              <th className="num">FP32</th>
              <th className="num">candidate</th>
              <th className="num">Δ</th>
            </tr>
          </thead>
          <tbody>
            {rowsOf(sides).map((row) => (
              <AccuracyRow key={row.name} {...row} />
            ))}
          </tbody>
        </table>
      ) : (
        <div className="pad">
          <Empty>No evaluation in this run</Empty>
        </div>
      )}
    </section>
  );
}

interface Row {
  readonly name: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

function rowsOf({ before, after }: Sides<EvaluateFigures>): Row[] {
  const plain = (["mAP", "mAP50", "top1", "top5"] as const).map((key) => ({
    name: key,
    before: before?.[key],
    after: after?.[key],
  }));
  const classes = Object.keys((after ?? before)?.perClass ?? {}).slice(0, CLASSES);
  const perClass = classes.map((name) => ({
    name: `${name} AP50`,
    before: before?.perClass?.[name]?.AP50,
    after: after?.perClass?.[name]?.AP50,
  }));
  return [...plain, ...perClass].filter((row) => row.before !== undefined || row.after !== undefined);
}

function AccuracyRow({ name, before, after }: Row) {
  const delta = before !== undefined && after !== undefined ? after - before : undefined;
  const figure = (value: number | undefined) => (value === undefined ? NONE : fraction(value));
  return (
    <tr>
      <td>{name}</td>
      <td className="num">{figure(before)}</td>
      <td className="num best">{figure(after)}</td>
      <td className="num muted">
        {delta === undefined ? NONE : `${delta < 0 ? "−" : "+"}${fraction(Math.abs(delta))}`}
      </td>
    </tr>
  );
}
