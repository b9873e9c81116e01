/** How true each compared model's outputs are, for a person: one row an output. */
import { agreementReport } from "../../nodes/agreement/report.ts";
import { cell } from "./table.ts";

export const AGREEMENT_HEAD = ["", "output", "SQNR", "cosine, mean", "cosine, least"];

/** None where the report is none of an agreement. */
export function agreementRows(node: string, report: unknown): string[][] {
  const parsed = agreementReport.safeParse(report);
  if (!parsed.success) return [];
  return Object.entries(parsed.data.outputs).map(([name, { identical, sqnrDb, cosineMean, cosineMin }]) => [
    node,
    name,
    identical ? "identical" : cell(sqnrDb, "dB", "measured"),
    digits(cosineMean),
    digits(cosineMin),
  ]);
}

/** Cosines near 1 differ behind the third digit. */
function digits(cosine: number | undefined): string {
  return cosine === undefined ? "–" : cosine.toFixed(4);
}
