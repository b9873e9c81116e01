import { z } from "zod";
import { defineNode } from "../define.ts";

export const loadVideo = defineNode({
  type: "load-video",
  version: 1,
  title: "Load video",
  category: "Source",
  icon: "video",
  doc: "The frames of a video file, one by one, decoded by ffmpeg: memory stays flat however long it is.",
  params: z.strictObject({
    source: z.string().default("").meta({
      title: "Video",
      help: "MP4, MOV, MKV, WebM, AVI, MPEG or FLV; or builtin:scene-video, a synthetic camera's, for which no file is needed.",
      source: "video",
    }),
    fps: z.number().nonnegative().max(1000).default(0).meta({
      title: "Frame rate",
      unit: "fps",
      help: "Frames are dropped or repeated to this rate; 0: as they are.",
    }),
    every: z.int().positive().default(1).meta({ title: "Every n-th frame" }),
    limit: z.int().nonnegative().default(0).meta({ title: "At most", unit: "frames", help: "0: all." }),
  }),
  inputs: {},
  outputs: { frames: { kind: "frames", doc: "Pictures in the order of the video." } },
  effects: "pure",
  resources: ["cpu", "io"],
  migrations: {},
});

export type VideoParams = z.output<typeof loadVideo.params>;
