/**
 * `npm run bench:optimiser [-- --only ROW,... --tools TOOL,... --rounds N --slow --list --docs]`: our optimiser beside the Python tools, in
 * one interleaved run. Results of a row replace those of its last run in results.json; `--docs` writes them into the docs.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../../server/projectRoot.ts";
import { testData } from "../../test/support/data.ts";
import { writeDocument } from "./document.ts";
import { openPeers } from "./peers.ts";
import type { RowResult } from "./result.ts";
import type { Row } from "./row.ts";
import { allRows } from "./rows/all.ts";
import { tableOf } from "./table.ts";

const resultsFile = join(projectRoot, "bench/optimiser/results.json");

export async function run(machine: string, argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string" },
      tools: { type: "string" },
      rounds: { type: "string", default: "3" },
      slow: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      docs: { type: "boolean", default: false },
    },
  });
  if (values.docs) {
    writeDocument(readResults(), join(projectRoot, "docs"));
    return;
  }
  if (!testData)
    throw new Error("Set EDGEWRIGHT_TEST_DATA to the folder of models and images that the rows are about.");
  const rows = chosen(allRows(), values.only?.split(","));
  if (values.list) {
    for (const { id, title } of rows) console.log(`${id.padEnd(24)}${title}`);
    return;
  }
  const peers = openPeers((line) => console.log(line));
  if (peers)
    console.log(
      Object.entries(peers.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    );
  const folder = mkdtempSync(join(tmpdir(), "edgewright-optimiser-"));
  const bench = {
    peers,
    folder,
    rounds: Number(values.rounds),
    slow: values.slow,
    tools: values.tools?.split(","),
    say: (line: string) => console.log(line),
  };
  try {
    for (const row of rows) {
      console.log(`\n## ${row.id}: ${row.title}`);
      const variants = await row.run(bench);
      const { id, title, bar, bestPeer } = row;
      const result: RowResult = {
        id,
        title,
        ...(bar && { bar }),
        ...(bestPeer && { bestPeer }),
        machine,
        time: new Date().toISOString(),
        variants,
      };
      console.log(tableOf(result));
      save(result);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function chosen(rows: readonly Row[], only: readonly string[] | undefined): readonly Row[] {
  const unknown = only?.filter((id) => !rows.some((row) => row.id === id)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`There is no row ${unknown.join(", ")}; there are ${rows.map(({ id }) => id).join(", ")}.`);
  }
  return only ? rows.filter(({ id }) => only.includes(id)) : rows;
}

function readResults(): readonly RowResult[] {
  return existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, "utf8")) : [];
}

/** A variant that this run left out keeps its last figures. */
function save(result: RowResult): void {
  const known = readResults();
  const before = known.find(({ id }) => id === result.id);
  const kept = (before?.variants ?? []).filter(({ name }) => !result.variants.some((variant) => variant.name === name));
  const merged = { ...result, variants: [...result.variants, ...kept] };
  const rows = [...known.filter(({ id }) => id !== result.id), merged].sort((a, b) => (a.id < b.id ? -1 : 1));
  writeFileSync(resultsFile, `${JSON.stringify(rows, null, 2)}\n`);
}
