/** A film for Chromium's fake camera, of what the tiny detector finds: one bright square on dark ground that wanders. */
import { writeFile } from "node:fs/promises";

const WIDTH = 640;
const HEIGHT = 480;
/** A quarter of the picture each way, as the detector's boxes are. */
const SQUARE = { width: WIDTH / 4, height: HEIGHT / 4 };

/** Writes raw 4:2:0 video (YUV4MPEG2), three frames that a fake camera repeats, and gives the switches for Chromium. */
export async function fakeCamera(path: string): Promise<string[]> {
  const frames = [80, 160, 320].map((left) => Buffer.concat([Buffer.from("FRAME\n"), frame(left, HEIGHT / 4)]));
  await writeFile(
    path,
    Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`), ...frames]),
  );
  return [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-video-capture=${path}`,
  ];
}

function frame(left: number, top: number): Buffer {
  // Brightness of each pixel, then two planes of colour at half the size: grey.
  const planes = Buffer.alloc(WIDTH * HEIGHT * 1.5, 128).fill(24, 0, WIDTH * HEIGHT);
  for (let y = top; y < top + SQUARE.height; y++) {
    planes.fill(235, y * WIDTH + left, y * WIDTH + left + SQUARE.width);
  }
  return planes;
}
