/**
 * Writes scenes with their labels as a YOLO data set (`images/SEED.jpg`, `labels/SEED.txt`: `0 cx cy w h`), for training
 * outside this project. People who are hardly seen are left out of the labels.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeFrame } from "../../nodes/load-scene/scene/encode.ts";
import { renderScene } from "../../nodes/load-scene/scene/render.ts";
import { createScene } from "../../nodes/load-scene/scene/scene.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "10000" },
    count: { type: "string", default: "100" },
    size: { type: "string", default: "416" },
    out: { type: "string", default: "scenes" },
  },
});
const [first, count, size] = [Number(values.seed), Number(values.count), Number(values.size)];
const folders = ["images", "labels"].map((name) => join(values.out, name));
for (const folder of folders) await mkdir(folder, { recursive: true });

for (let seed = first; seed < first + count; seed++) {
  const scene = createScene({ seed, width: size, height: size });
  const frame = renderScene(scene);
  const rows = frame.people
    .filter(({ ignored }) => !ignored)
    .map(({ box: [x, y, w, h] }) => [0, (x + w / 2) / size, (y + h / 2) / size, w / size, h / size].join(" "));
  const name = String(seed).padStart(7, "0");
  const jpeg = await encodeFrame(frame, scene.conditions.jpegQuality);
  await writeFile(join(values.out, "images", `${name}.jpg`), jpeg);
  await writeFile(join(values.out, "labels", `${name}.txt`), rows.map((row) => `${row}\n`).join(""));
}
process.stdout.write(`${count} scenes in ${values.out}\n`);
