import { z } from "zod";
import { defineNode } from "../define.ts";

export const loadScene = defineNode({
  type: "load-scene",
  version: 1,
  title: "Load scene",
  category: "Source",
  icon: "cctv",
  doc: "A synthetic camera's view, drawn from a seed: people walk through a corridor, a shop, a yard or a street. Nobody in it exists; it needs no file.",
  params: z.strictObject({
    seed: z.int().nonnegative().max(0xffffffff).default(10_000).meta({
      title: "Seed",
      help: "Every seed is another scene; 0 to 499 are the ones that accuracy is reported on.",
    }),
    place: z.enum(["any", "corridor", "shop", "yard", "street"]).default("any").meta({ title: "Place" }),
    light: z.enum(["any", "day", "dusk", "night", "infrared"]).default("any").meta({ title: "Light" }),
    weather: z.enum(["any", "dry", "rain"]).default("any").meta({ title: "Weather", help: "Rain falls outdoors." }),
    people: z.int().min(-1).max(40).default(-1).meta({ title: "People", help: "At most; -1: as the seed has it." }),
    frames: z.int().positive().max(100_000).default(100).meta({ title: "Length", unit: "frames" }),
    fps: z.number().positive().max(240).default(10).meta({ title: "Frame rate", unit: "fps" }),
    width: z.int().min(64).max(1920).default(640).meta({ title: "Width", unit: "px" }),
    height: z.int().min(64).max(1920).default(360).meta({ title: "Height", unit: "px" }),
  }),
  inputs: {},
  outputs: {
    frames: { kind: "frames", doc: "The synthetic pictures, in order." },
    report: { kind: "report", doc: "What the seed drew: place, light, weather, people; marked as simulated." },
  },
  effects: "pure",
  resources: ["cpu"],
  migrations: {},
});

export type SceneParams = z.output<typeof loadScene.params>;
