/**
 * Bundles renderScenes.ts and runs it: `node models/person-nano/renderScenes.js --seed 10000 --count 6000 --size 416
 * --out DIR`, or `--sheet FILE.jpg`. Several at once, on ranges of their own, use several cores.
 */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle } from "../../server/build.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
await bundle({ renderScenes: "models/person-nano/renderScenes.ts" }, join(root, "dist/scenes"));
await import(pathToFileURL(join(root, "dist/scenes/renderScenes.js")).href);
