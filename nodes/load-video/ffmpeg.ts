/**
 * ffmpeg as a program of its own: the one on PATH, else the optional package @ffmpeg-installer/ffmpeg (GPL, so it is
 * never linked, only run). Videos come from strangers: only container formats are read, no playlists, which could name
 * other files.
 */
import { spawn } from "node:child_process";
import { access, chmod, constants } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { UserError } from "../context.ts";

const PROGRAM = process.platform === "win32" ? "ffmpeg.exe" : "ffmpeg";
const CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,h264,hevc,ivf,gif";

export interface VideoInfo {
  /** As decoded, turned upright. */
  readonly width: number;
  readonly height: number;
  /** Absent where the file does not tell. */
  readonly fps?: number;
  readonly seconds?: number;
  /** Whether this ffmpeg knows -fps_mode (5.1 and later); before, it was -vsync. */
  readonly fpsMode: boolean;
}

/** Path of an ffmpeg that can be run. Throws `no-ffmpeg` with where to get one. */
export async function findFfmpeg(path = process.env.PATH ?? ""): Promise<string> {
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, PROGRAM);
    if (folder && (await isExecutable(candidate))) return candidate;
  }
  const packaged = packagedFfmpeg();
  if (packaged && (await madeExecutable(packaged))) return packaged;
  throw new UserError(
    "no-ffmpeg",
    "Videos need ffmpeg, which is not installed.",
    "Install ffmpeg (apt install ffmpeg, brew install ffmpeg, winget install ffmpeg), or npm install @ffmpeg-installer/ffmpeg.",
  );
}

function packagedFfmpeg(): string | undefined {
  try {
    const manifest = `@ffmpeg-installer/${process.platform}-${process.arch}/package.json`;
    return join(dirname(createRequire(import.meta.url).resolve(manifest)), PROGRAM);
  } catch {
    return undefined;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The package's file comes without the right to run where npm was told to run no scripts. */
async function madeExecutable(path: string): Promise<boolean> {
  if (await isExecutable(path)) return true;
  await chmod(path, 0o755).catch(() => undefined);
  return isExecutable(path);
}

/** Decodes one frame to learn the size. Throws `bad-video` with ffmpeg's words. */
export async function probeVideo(ffmpeg: string, path: string, signal: AbortSignal): Promise<VideoInfo> {
  const { stderr } = await runToEnd(ffmpeg, [...inputArgs(path), "-frames:v", "1", "-f", "null", "-"], signal);
  const output = stderr.slice(stderr.indexOf("Output #0"));
  const size = /Video:.*? (\d{1,5})x(\d{1,5})/.exec(output);
  if (!stderr.includes("Output #0") || !size) {
    throw new UserError("bad-video", `ffmpeg cannot read the video: ${lastLine(stderr)}`, "Use a file that plays.");
  }
  const fps = Number(/Video:.*? ([\d.]+) fps/.exec(stderr)?.[1]);
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d+):([\d.]+)/.exec(stderr) ?? [];
  const duration = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return {
    width: Number(size[1]),
    height: Number(size[2]),
    ...(fps > 0 && { fps }),
    ...(duration > 0 && { seconds: duration }),
    fpsMode: knowsFpsMode(/^ffmpeg version n?(\S+)/m.exec(stderr)?.[1] ?? ""),
  };
}

/** `7.1.1`, `4.4.2-0ubuntu`, or a build of the day as `N-92722-g...`, whose number counts commits (5.1 was about 107000). */
function knowsFpsMode(version: string): boolean {
  const [, commits] = /^N-(\d+)/.exec(version) ?? [];
  if (commits) return Number(commits) > 107_000;
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return major === undefined || Number(major) > 5 || (Number(major) === 5 && Number(minor) >= 1);
}

export interface DecodeOptions {
  readonly fps: number;
  readonly fpsMode: boolean;
}

/** Starts decoding to RGB on stdout, each frame once, none added but by `fps`. */
export function spawnDecoder(ffmpeg: string, path: string, { fps, fpsMode }: DecodeOptions) {
  const passthrough = fpsMode ? ["-fps_mode", "passthrough"] : ["-vsync", "passthrough"];
  const rate = fps > 0 ? ["-vf", `fps=${fps}`] : [];
  const args = ["-loglevel", "error", ...inputArgs(path), ...rate, ...passthrough];
  return spawn(ffmpeg, [...args, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function inputArgs(path: string): string[] {
  const safe = ["-nostdin", "-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS];
  return [...safe, "-i", path, "-map", "0:v:0"];
}

async function runToEnd(program: string, args: readonly string[], signal: AbortSignal): Promise<{ stderr: string }> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], signal, killSignal: "SIGKILL" });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
  const [stderr] = await Promise.all([textOf(child.stderr), ended]);
  return { stderr };
}

/** The last 64 KB: a damaged video makes ffmpeg say much. */
export async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text = (text + chunk.toString("utf8")).slice(-65_536);
  return text;
}

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
}
