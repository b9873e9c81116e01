/** What the error on held-back items means for whoever goes on with the model, in words. */
import type { PruneReport } from "./report.ts";

/** Small detectors lose a sixth of their mAP at 13 dB, and are of no use below 10. */
const NOTICED_DB = 16;
const TOO_MUCH_DB = 10;

const KEEP_MORE: Readonly<Record<PruneReport["method"], string>> = {
  channels: "keep more of the multiply-adds",
  blocks: "keep more of the multiply-adds",
  "low-rank": "keep more of the multiply-adds",
  "2:4": "take another method",
  unstructured: "set fewer weights to zero",
};

/** `items`: what the cut was fitted to. */
export function accuracyNotes(
  heldBack: PruneReport["heldBack"],
  { method, items }: { readonly method: PruneReport["method"]; readonly items: number },
): readonly string[] {
  if (!heldBack && items === 0) return ["What this costs in accuracy is not known: wire tensors to measure it."];
  if (!heldBack)
    return [
      `What this costs in accuracy is not known: the ${items} item(s) on tensors served to prune, and none is left to measure it on. Wire more.`,
    ];
  const figures = Object.entries(heldBack.outputs).flatMap(([name, { sqnrDb }]) =>
    sqnrDb === undefined ? [] : [{ name, sqnrDb }],
  );
  const worst = figures.toSorted((a, b) => a.sqnrDb - b.sqnrDb)[0];
  if (!worst || worst.sqnrDb >= NOTICED_DB) return [];
  const keepMore = KEEP_MORE[method];
  const figure = `output "${worst.name}" keeps ${worst.sqnrDb.toFixed(1)} dB on held-back items`;
  return worst.sqnrDb < TOO_MUCH_DB
    ? [`Too much is lost: ${figure}. Fine-tune the model, or ${keepMore}.`]
    : [`Expect worse results: ${figure}. Evaluate before you use it; fine-tune it, or ${keepMore}.`];
}
