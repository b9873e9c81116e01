/**
 * The terminal's door: parses arguments, calls one command, turns its outcome into an exit code (0 done, 1 a step failed,
 * 2 the document or an argument is wrong, 130 cancelled). Commands load when called: `--help` needs none of them.
 */
import { Command, CommanderError } from "commander";
import { UserError } from "../../nodes/context.ts";
import { describeError } from "../executor/errors.ts";
import { projectVersion } from "../projectRoot.ts";

export const EXIT = { done: 0, failed: 1, wrong: 2, cancelled: 130 } as const;

export async function main(argv: readonly string[]): Promise<void> {
  // A reader that closes early (`| head`) wants no more: a run is cancelled, all else ends by itself.
  process.stdout.on("error", (error) => {
    if (!("code" in error) || error.code !== "EPIPE") throw error;
  });
  const verbose = argv.includes("--verbose");
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error, verbose);
  }
}

/** One message with its fix; a stack only where asked for. */
function report(error: unknown, verbose: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrong;
  const { code, message, fix, stack } = describeError(error);
  console.error(`edgewright: ${message}`);
  if (fix !== undefined) console.error(`  ${fix}`);
  if (code === "internal" && !verbose) console.error("  This is a fault of Edgewright itself; --verbose shows where.");
  if (verbose && stack !== undefined) console.error(stack);
  return error instanceof UserError ? EXIT.wrong : EXIT.failed;
}

function createProgram(): Command {
  const program = new Command("edgewright")
    .description("Make trained neural networks fit, and fly, on the device they must live on.")
    .version(projectVersion, "--version")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .option("--verbose", "show stack traces");

  program
    .command("start")
    .description("serve the canvas and the API on this machine")
    .option("--port <number>", "port on 127.0.0.1", "3000")
    .action(async (options: { port: string }) => (await import("./start.ts")).start(options));

  program
    .command("run")
    .description("run a saved pipeline, or what follows from a change")
    .argument("<file>", "pipeline JSON, as the canvas saves it")
    .option("--target <id>", "device to compile and measure for")
    .option("--set <node.param=value>", "set a parameter; a path to a file may lie anywhere", collect, [])
    .option("--to <node>", "run only what this node needs")
    .option("--json", "events as JSON lines on stdout")
    .option("--fresh", "measure and export again")
    .action(async (file: string, options) => {
      using pool = (await import("./firstStep.ts")).firstStep(file);
      process.exitCode = await (await import("./run.ts")).run(file, options, pool);
    });

  program
    .command("check")
    .description("say what keeps a pipeline from running")
    .argument("<file>", "pipeline JSON")
    .option("--json", "diagnostics as JSON on stdout")
    .action(async (file: string, options) => {
      process.exitCode = await (await import("./check.ts")).check(file, options);
    });

  program
    .command("nodes")
    .description("list the node types")
    .option("--json", "with ports and parameters, as JSON")
    .action(async (options) => (await import("./lists.ts")).nodes(options));

  program
    .command("models")
    .description("list the models that a source may name")
    .option("--json", "with addresses, digests and settings, as JSON")
    .action(async (options) => (await import("./models.ts")).models(options));

  program
    .command("targets")
    .description("list the devices to run on or to predict for")
    .option("--json", "as JSON")
    .action(async (options) => (await import("./lists.ts")).targets(options));

  program
    .command("runs")
    .description("list the runs of this workspace, newest first")
    .option("--json", "as JSON")
    .action(async (options) => (await import("./lists.ts")).runs(options));

  program
    .command("report")
    .description("show the reports of a run")
    .argument("<run>", "run id, or `last`")
    .option("--json", "every report's JSON, by node")
    .action(async (runId: string, options) => (await import("./report.ts")).report(runId, options));

  program
    .command("setup")
    .description("install an optional part into the workspace")
    .argument("<part>", "tensorrt-rtx or ultralytics")
    .action(async (part: string) => (await import("./setup.ts")).setup(part));

  program
    .command("clean")
    .description("remove cached results, the longest unused first; never what a run in progress needs")
    .option("--keep <gigabytes>", "results that may stay", "0")
    .action(async (options: { keep: string }) => (await import("./clean.ts")).clean(options));

  return program;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
