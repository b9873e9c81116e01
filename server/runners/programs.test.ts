import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findProgram, projectFile, runProgram } from "./programs.ts";

const node = (code: string, options?: Parameters<typeof runProgram>[2]) =>
  runProgram(process.execPath, ["-e", code], options);

describe("runProgram", () => {
  it("gives output and exit code, whatever they are", async () => {
    const result = await node("console.log('out'); console.error('err'); process.exitCode = 3");
    expect(result).toEqual({ code: 3, stdout: "out\n", stderr: "err\n" });
  });

  it("feeds a line and keeps stdin open", async () => {
    const echo = "process.stdin.once('data', (d) => { process.stdout.write(d); process.exit(0) })";
    expect((await node(echo, { input: "hello\n" })).stdout).toBe("hello\n");
  });

  it("ends a program that was aborted", async () => {
    const abort = new AbortController();
    const running = node("setInterval(() => {}, 1000); console.log('up')", {
      signal: abort.signal,
      onOutput: () => abort.abort(),
    });
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
  });

  it("rejects where there is no such program", async () => {
    await expect(runProgram("/no/such/program", [])).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("findProgram", () => {
  it("looks in PATH, then in the folders given", () => {
    expect(findProgram(["no-such-program"])).toBeUndefined();
    expect(findProgram(["node", "node.exe"], [])).toBeDefined();
  });
});

describe("projectFile", () => {
  it("finds what lies beside the code, and says what is missing", () => {
    expect(existsSync(projectFile("server/runners/tensorrtRtxDriver.py"))).toBe(true);
    expect(() => projectFile("server/no-such-file.py")).toThrow("no-such-file.py");
  });
});
