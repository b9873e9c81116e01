/** The closing line of `.ci/run` from vitest's JSON; a test skipped here, where everything is set up, is a failure. */
import { readFileSync } from "node:fs";

const results = JSON.parse(readFileSync(process.argv[2], "utf8"));
const tests = results.testResults.flatMap((file) => file.assertionResults);
const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
// The exporter of PyTorch models is gigabytes of someone else's; data may not be laid beside the project.
const optional = ["EDGEWRIGHT_ULTRALYTICS", ...(process.env.EDGEWRIGHT_TEST_DATA ? [] : ["EDGEWRIGHT_TEST_DATA"])];
const mayNotSkip = skipped.filter((test) => !optional.some((name) => test.fullName.includes(name)));
for (const test of mayNotSkip) console.log(`skipped, and counted as failed: ${test.fullName}`);
// A file that could not be loaded has no test to count.
const broken = results.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
const failed = tests.filter((test) => test.status === "failed").length + broken.length + mayNotSkip.length;
console.log(`${results.numPassedTests} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
