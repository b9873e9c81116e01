/**
 * A real browser for tests: `CHROME_PATH`, else an installed Chromium or Chrome, else the one in the npm package
 * @sparticuz/chromium. With none a test fails and says how to get one; it never skips in silence.
 */
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const MAC = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

async function chromiumPath(): Promise<string> {
  const given = process.env.CHROME_PATH;
  if (given) {
    if (existsSync(given)) return given;
    throw new Error(`CHROME_PATH names ${given}, which does not exist`);
  }
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = [...MAC, ...folders.flatMap((folder) => NAMES.map((name) => join(folder, name)))];
  const installed = candidates.find((path) => existsSync(path));
  if (installed) return installed;
  try {
    return await packagedChromium();
  } catch (cause) {
    const how = "install Chromium or Chrome, or set CHROME_PATH to one";
    throw new Error(`no browser for the browser tests: ${how}`, { cause });
  }
}

/** The package unpacks into TMPDIR and reuses what lies there, whatever its version: a folder of its own for each. */
async function packagedChromium(): Promise<string> {
  process.env.TMPDIR = join(tmpdir(), "edgewright-chromium-143");
  mkdirSync(process.env.TMPDIR, { recursive: true });
  // Makes the package use the system libraries (nss) that it brings along.
  process.env.AWS_LAMBDA_JS_RUNTIME ??= "nodejs20.x";
  // Its own font configuration loses the first web font of each process; the system's does not.
  if (existsSync("/etc/fonts")) process.env.FONTCONFIG_PATH ??= "/etc/fonts";
  const { default: packaged } = await import("@sparticuz/chromium");
  return packaged.executablePath();
}

/** `args`: further switches of Chromium's. */
export async function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  const before = process.env.TMPDIR;
  const executablePath = await chromiumPath();
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-background-networking", ...args] });
}
