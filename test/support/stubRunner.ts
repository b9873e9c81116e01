/** A whole process that runs one pipeline, to be killed: `node stubRunner.js STEP_MODULE ROOT DOC_JSON`. */
import { stubExecutor } from "./stubExecutor.ts";

const [module = "", root = "", doc = ""] = process.argv.slice(2);
const { executor } = stubExecutor(module, { root });
const { runId } = await executor.submit({ doc: JSON.parse(doc) });
for await (const event of executor.watch(runId)) process.stdout.write(`${JSON.stringify(event)}\n`);
await executor.close();
