/** A whole server with pages over a workspace of its own, in a process of its own, as a user starts it. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "./imports.ts";

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly root: string;
}

export async function testServer(): Promise<TestServer> {
  const root = await mkdtemp(join(tmpdir(), "edgewright-e2e-"));
  await mkdir(join(root, ".edgewright"));
  await mkdir(join(root, "pipelines"));
  await mkdir(join(root, "tmp"));
  const bin = join(projectRoot, "server/cli/bin.js");
  // Who measures holds the device for every process that shares the temporary directory: other tests must not be waited for.
  const { EDGEWRIGHT_HOME: _, ...inherited } = process.env;
  const env = { ...inherited, TMPDIR: join(root, "tmp") };
  const child = spawn(process.execPath, [bin, "start", "--port", "0"], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill();
    await ended;
    await rm(root, { recursive: true, force: true });
  };
  let said = "";
  for await (const chunk of child.stdout) {
    said += chunk;
    const url = /http:\/\/localhost:\d+/.exec(said)?.[0];
    if (url) return { url, root, [Symbol.asyncDispose]: stop };
  }
  await stop();
  throw new Error(`the server ended before it was ready: ${said}`);
}

/** Puts a new pipeline into the server's workspace, as the canvas does. */
export async function putPipeline({ url }: TestServer, name: string, doc: unknown): Promise<void> {
  const answer = await fetch(`${url}/api/openapi/pipelines/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ doc, baseRevision: null }),
  });
  if (answer.status !== 200) throw new Error(`${name} was not saved: ${answer.status} ${await answer.text()}`);
}
