/** The program of a drawing thread (`drawScenes.ts`), a bundle of its own beside the step's. */
import { parentPort } from "node:worker_threads";
import { createDrawer, type DrawJob, type DrawnPicture } from "./drawer.ts";

export interface DrawRequest {
  readonly id: number;
  readonly job: DrawJob;
}
export interface DrawReply {
  readonly id: number;
  readonly picture: DrawnPicture;
}

const draw = createDrawer();

// One is drawn while the one before it is compressed; what fails ends the thread, which its owner hears of.
parentPort?.on("message", async ({ id, job }: DrawRequest) => {
  parentPort?.postMessage({ id, picture: await draw(job) } satisfies DrawReply);
});
