/** `edgewright start`: the server in this process, until a signal ends it. */
import { UserError } from "../../nodes/context.ts";
import { startServer } from "../main.ts";
import { projectRoot } from "../projectRoot.ts";
import { workspaceRoot } from "./root.ts";

export async function start(options: { readonly port: string }): Promise<void> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UserError("bad-argument", `--port ${options.port} is no port`, "Give a number from 0 to 65535.");
  }
  const server = await startServer({ root: workspaceRoot(), port, pagesDir: projectRoot });
  console.log(`Edgewright is ready at ${server.url}`);
  for (const runId of server.resumed) console.error(`taking up the run ${runId}`);
  const stop = () => {
    void server.close().then(() => process.exit(0));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
}
