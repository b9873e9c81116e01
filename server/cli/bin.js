#!/usr/bin/env node
/**
 * The command `edgewright`. Plain JavaScript, so that it runs from a fresh clone: installs and builds what is missing or
 * stale, then hands over to the bundle in dist/.
 */
import { ensureReady } from "../bootstrap.js";

ensureReady({ pages: process.argv[2] === "start" });
const { main } = await import("../../dist/cli.js");
await main(process.argv);
