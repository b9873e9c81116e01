/**
 * `node docs/example.js [PIPELINE]`: runs a pipeline (person-detection) as a user does, and writes what came of it to
 * docs/example.jpg and into docs/example.md: pictures with the boxes found, and the compare table. Nothing is chosen by
 * hand: the pictures are the first eight that show a person.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const [pipeline = "person-detection"] = process.argv.slice(2);
const COLUMNS = 4;
const ROWS = 2;
const TILE = 312;

const args = [at("../server/cli/bin.js"), "run", at(`../pipelines/${pipeline}.json`), "--json"];
const { stdout, status } = spawnSync(process.execPath, args, {
  encoding: "utf8",
  maxBuffer: 2 ** 28,
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) process.exit(status ?? 1);
const { outputs } = JSON.parse(stdout.trim().split("\n").at(-1));

const { path } = outputs.annotate.images;
const { images } = JSON.parse(readFileSync(join(outputs.images.images.path, "index.json"), "utf8"));
const shown = images.filter(({ labels }) => labels?.some(({ crowd }) => !crowd)).slice(0, COLUMNS * ROWS);
const tiles = shown.map(async ({ file }, i) => ({
  input: await sharp(join(path, file)).resize(TILE, TILE).png().toBuffer(),
  left: (i % COLUMNS) * TILE,
  top: Math.floor(i / COLUMNS) * TILE,
}));
const sheet = { width: COLUMNS * TILE, height: ROWS * TILE, channels: 3, background: "#000" };
await sharp({ create: sheet }).composite(await Promise.all(tiles)).jpeg({ quality: 85 }).toFile(at("example.jpg"));

const { rows, warnings = [] } = outputs.compare.report.value;
const UNITS = { B: [1e-6, "MB"] };
const cell = (value, unit) => {
  if (value === undefined) return "–";
  const [scale, name] = UNITS[unit] ?? [1, unit ?? ""];
  return `${Number((value * scale).toPrecision(3))} ${name}`.trim();
};
const table = rows.map(({ label, unit, baseline, candidate, ratio }) => {
  const times = ratio === undefined ? "–" : `×${ratio.toFixed(2)}`;
  return `| ${label} | ${cell(baseline, unit)} | ${cell(candidate, unit)} | ${times} |`;
});
const said = [
  `Run on ${new Date().toISOString().slice(0, 10)}, ${images.length} pictures, of which the first ${shown.length} with people are shown.`,
  "",
  "| | FP32 | optimised | ratio |",
  "|---|---|---|---|",
  ...table,
  ...warnings.map((warning) => `\n${warning[0].toUpperCase()}${warning.slice(1)}.`),
].join("\n");
const page = readFileSync(at("example.md"), "utf8");
writeFileSync(at("example.md"), page.replace(/(<!-- result -->\n)[^]*?(\n<!-- end -->)/, `$1\n${said}\n$2`));
