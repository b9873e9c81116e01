/** What every room has: two side walls and the one at its far end. */
import { wall } from "../prop.ts";
import type { Face } from "../raster/faces.ts";

type Paint = Parameters<typeof wall>[0]["paint"];

/** Metres: half the width, the length from two metres behind the camera, the height. */
export function roomWalls(room: {
  readonly half: number;
  readonly long: number;
  readonly high: number;
  readonly paint: Paint;
}): Face[] {
  const { half, long, high: height, paint } = room;
  const side = { along: [0, 0, 1], length: long + 2, height, paint } as const;
  return [
    wall({ ...side, from: [-half, 0, -2], normal: [1, 0, 0] }),
    wall({ ...side, from: [half, 0, -2], normal: [-1, 0, 0] }),
    wall({ from: [-half, 0, long], along: [1, 0, 0], length: 2 * half, height, normal: [0, 0, -1], paint }),
  ];
}
