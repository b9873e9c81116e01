/**
 * Writes scenes with their labels as a YOLO data set (`images/SEED.jpg`, `labels/SEED.txt`: `0 cx cy w h`), for training
 * outside this project; people who are hardly seen have class 1, neither to be found nor a false alarm. With `--sheet FILE.jpg` it draws them on
 * one sheet instead, to be looked at.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp, { type OverlayOptions } from "sharp";
import { encodeFrame } from "../../nodes/load-scene/scene/encode.ts";
import { renderScene } from "../../nodes/load-scene/scene/render.ts";
import { createScene } from "../../nodes/load-scene/scene/scene.ts";

const COLUMNS = 8;
/** Pixels of a scene on the sheet. */
const TILE = 208;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "10000" },
    count: { type: "string", default: "100" },
    size: { type: "string", default: "416" },
    out: { type: "string", default: "scenes" },
    sheet: { type: "string" },
  },
});
const [first, count, size] = [Number(values.seed), Number(values.count), Number(values.size)];

async function* scenes() {
  for (let seed = first; seed < first + count; seed++) {
    const scene = createScene({ seed, width: size, height: size });
    const frame = renderScene(scene);
    yield { seed, people: frame.people, jpeg: await encodeFrame(frame, scene.conditions.jpegQuality) };
  }
}

async function writeDataSet(folder: string): Promise<void> {
  for (const name of ["images", "labels"]) await mkdir(join(folder, name), { recursive: true });
  for await (const { seed, people, jpeg } of scenes()) {
    const rows = people.map(({ box: [x, y, w, h], ignored }) =>
      [ignored ? 1 : 0, (x + w / 2) / size, (y + h / 2) / size, w / size, h / size].join(" "),
    );
    const name = String(seed).padStart(7, "0");
    await writeFile(join(folder, "images", `${name}.jpg`), jpeg);
    await writeFile(join(folder, "labels", `${name}.txt`), rows.map((row) => `${row}\n`).join(""));
  }
}

async function writeSheet(file: string): Promise<void> {
  const tiles: OverlayOptions[] = [];
  for await (const { seed, jpeg } of scenes()) {
    const at = seed - first;
    const input = await sharp(jpeg).resize(TILE).png().toBuffer();
    tiles.push({ input, left: (at % COLUMNS) * TILE, top: Math.floor(at / COLUMNS) * TILE });
  }
  const height = Math.ceil(count / COLUMNS) * TILE;
  const sheet = sharp({ create: { width: COLUMNS * TILE, height, channels: 3, background: "#000" } });
  await sheet.composite(tiles).jpeg({ quality: 86 }).toFile(file);
}

await (values.sheet ? writeSheet(values.sheet) : writeDataSet(values.out));
process.stdout.write(`${count} scenes in ${values.sheet ?? values.out}\n`);
