import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

const data = process.env.EDGEWRIGHT_TEST_DATA ?? resolve("../shared/data");

export default defineConfig({
  // The pages keep JSX for Next to compile; tests of faces need it compiled here.
  oxc: { jsx: { runtime: "automatic" } },
  test: {
    include: ["{onnx,nodes,server,targets,pipelines,app,test}/**/*.test.{ts,tsx}"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    env: existsSync(data) ? { EDGEWRIGHT_TEST_DATA: resolve(data) } : {},
  },
});
