import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serveFile, serveProxy, serveRedirect } from "../../test/support/fileServer.ts";
import { type DownloadOptions, download } from "./download.ts";
import { proxyFor } from "./httpGet.ts";
import type { IngestProgress } from "./progress.ts";

const bytes = randomBytes(300_000);
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edgewright-download-"));
  path = join(folder, "sub", "tiny.onnx");
  for (const name of PROXIES) vi.stubEnv(name, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
/** As in production, but for this machine itself. */
const allowed = (url: URL) => url.hostname === "127.0.0.1";
const get = (url: string, options: DownloadOptions = {}) => download(url, path, { allowed, ...options });

describe("download", () => {
  it("writes the whole file and nothing beside it, and says how far it is", async () => {
    await using server = await serveFile(randomBytes(30_000_000));
    const said: IngestProgress[] = [];
    await get(server.url, { sha256: sha256(server.bytes), progress: (now) => said.push(now) });
    expect(sha256(readFileSync(path))).toBe(sha256(server.bytes));
    expect(existsSync(`${path}.part`) || existsSync(`${path}.part.tag`)).toBe(false);
    for (const { done, total, unit } of said) {
      expect([total, unit]).toEqual([30_000_000, "bytes"]);
      expect(done).toBeLessThanOrEqual(30_000_000);
    }
  });

  it("continues where a connection broke, within one call and in the next", async () => {
    await using server = await serveFile(bytes);
    server.cut = { after: 100_000, times: 1 };
    await get(server.url);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(server.ranges).toEqual(["", "bytes=100000-"]);

    rmSync(path);
    server.cut = { after: 1000, times: 4 };
    await expect(get(server.url)).rejects.toMatchObject({ code: "offline" });
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(`${path}.part`).equals(bytes.subarray(0, 4000))).toBe(true);
    await get(server.url);
    expect(server.ranges.at(-1)).toBe("bytes=4000-");
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it("starts anew where the file behind the address is another one by now", async () => {
    await using server = await serveFile(bytes);
    server.cut = { after: 1000, times: 4 };
    await expect(get(server.url)).rejects.toMatchObject({ code: "offline" });
    server.bytes = randomBytes(5000);
    await get(server.url);
    expect(readFileSync(path).equals(server.bytes)).toBe(true);
  });

  it("takes a part that is whole already, and no part of unknown origin", async () => {
    await using server = await serveFile(bytes);
    await get(server.url);
    rmSync(path);
    writeFileSync(`${path}.part`, bytes);
    await get(server.url, { sha256: sha256(bytes) });
    expect(server.ranges.at(-1)).toBe("bytes=300000-");
    rmSync(path);
    writeFileSync(`${path}.part`, randomBytes(10));
    await get(server.url);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it("refuses a file with another digest and keeps nothing of it", async () => {
    await using server = await serveFile(bytes);
    const wrong = get(server.url, { sha256: sha256(Buffer.from("other")) });
    await expect(wrong).rejects.toMatchObject({
      code: "wrong-sha256",
      message: expect.stringContaining(sha256(bytes)),
    });
    expect(existsSync(path) || existsSync(`${path}.part`)).toBe(false);
  });

  it("goes through the proxy of the environment, except where NO_PROXY says so", async () => {
    await using server = await serveFile(bytes);
    await using proxy = await serveProxy();
    vi.stubEnv("HTTP_PROXY", proxy.url);
    await get(server.url);
    expect(proxy.tunnels).toEqual([new URL(server.url).host]);
    rmSync(path);
    vi.stubEnv("NO_PROXY", "127.0.0.1");
    await get(server.url);
    expect(proxy.tunnels).toHaveLength(1);
  });

  it("says what a server answers, reads https alone, and follows no way out of it", async () => {
    await using server = await serveFile(bytes);
    server.status = 404;
    await expect(get(server.url)).rejects.toMatchObject({ code: "download-failed", message: /404/ });
    server.status = undefined;
    await expect(download(server.url, path, {})).rejects.toMatchObject({ code: "bad-source" });
    await using redirect = await serveRedirect(server.url);
    const only = (url: URL) => url.href === redirect.url;
    await expect(get(redirect.url, { allowed: only })).rejects.toMatchObject({ code: "bad-source" });
    expect(existsSync(path)).toBe(false);
  });

  it("ends when it is cancelled, and keeps what came", async () => {
    await using server = await serveFile(bytes);
    server.cut = { after: 1000, times: 99 };
    const signal = AbortSignal.timeout(200);
    await expect(get(server.url, { signal })).rejects.toMatchObject({ name: "TimeoutError" });
    expect(existsSync(`${path}.part`)).toBe(true);
  });
});

it("spares what NO_PROXY names: hosts, domains and ports", () => {
  vi.stubEnv("HTTPS_PROXY", "proxy.example:3128");
  const goesBy = (url: string, spared: string) => {
    vi.stubEnv("NO_PROXY", spared);
    return proxyFor(new URL(url))?.href;
  };
  expect(goesBy("https://a.example/x", "")).toBe("http://proxy.example:3128/");
  for (const spared of ["*", "a.example", ".example", "*.example", "b.test, example", "a.example:8443"]) {
    expect(goesBy("https://a.example:8443/x", spared)).toBeUndefined();
  }
  for (const spared of ["b.example", "ample", "a.example:8444"]) {
    expect(goesBy("https://a.example:8443/x", spared)).toBeDefined();
  }
  expect(proxyFor(new URL("http://a.test/x"))).toBeUndefined();
});
