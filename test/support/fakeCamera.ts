/** Films for Chromium's fake camera: what the tiny detector finds, one bright square that wanders; or any picture. */
import { writeFile } from "node:fs/promises";

const WIDTH = 640;
const HEIGHT = 480;
/** A quarter of the picture each way, as the detector's boxes are. */
const SQUARE = { width: WIDTH / 4, height: HEIGHT / 4 };

/** Writes raw 4:2:0 video (YUV4MPEG2), three frames that a fake camera repeats, and gives the switches for Chromium. */
export async function fakeCamera(path: string): Promise<string[]> {
  const frames = [80, 160, 320].map((left) => frame(left, HEIGHT / 4));
  return film(path, { width: WIDTH, height: HEIGHT, frames });
}

/** A still picture, whose sides are even. */
export async function stillCamera(path: string, picture: RgbPicture): Promise<string[]> {
  return film(path, { ...picture, frames: [planesOf(picture)] });
}

interface RgbPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

interface Film {
  readonly width: number;
  readonly height: number;
  /** Brightness, then two planes of colour at half the size. */
  readonly frames: readonly Buffer[];
}

async function film(path: string, { width, height, frames }: Film): Promise<string[]> {
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`);
  await writeFile(path, Buffer.concat([head, ...frames.flatMap((planes) => [Buffer.from("FRAME\n"), planes])]));
  return [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-video-capture=${path}`,
  ];
}

/** JPEG's colours (BT.601, full range), as C420jpeg says; of four pixels the first gives theirs. */
function planesOf({ width, height, rgb }: RgbPicture): Buffer {
  const planes = Buffer.alloc(width * height * 1.5);
  for (let at = 0; at < width * height; at++) {
    const [r = 0, g = 0, b = 0] = rgb.subarray(at * 3);
    const [x, y] = [at % width, Math.floor(at / width)];
    planes[at] = 0.299 * r + 0.587 * g + 0.114 * b;
    if (x % 2 !== 0 || y % 2 !== 0) continue;
    const half = width * height + (y / 2) * (width / 2) + x / 2;
    planes[half] = 128 - 0.1687 * r - 0.3313 * g + 0.5 * b;
    planes[half + (width * height) / 4] = 128 + 0.5 * r - 0.4187 * g - 0.0813 * b;
  }
  return planes;
}

function frame(left: number, top: number): Buffer {
  // Brightness of each pixel, then two planes of colour at half the size: grey.
  const planes = Buffer.alloc(WIDTH * HEIGHT * 1.5, 128).fill(24, 0, WIDTH * HEIGHT);
  for (let y = top; y < top + SQUARE.height; y++) {
    planes.fill(235, y * WIDTH + left, y * WIDTH + left + SQUARE.width);
  }
  return planes;
}
