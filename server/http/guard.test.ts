import { describe, expect, it } from "vitest";
import { contentType } from "./contentType.ts";
import { refusal } from "./guard.ts";

const ask = (method: string, headers: Record<string, string>) => refusal({ method, headers });

describe("refusal", () => {
  it.each(["localhost:3000", "127.0.0.1", "[::1]:80"])("welcomes %s", (host) => {
    expect(ask("GET", { host })).toBeUndefined();
    expect(ask("POST", { host, origin: `http://${host}` })).toBeUndefined();
    expect(ask("POST", { host })).toBeUndefined();
  });
  it("refuses a foreign name that resolves to this machine", () => {
    expect(ask("GET", { host: "evil.example:3000" })).toContain("evil.example");
  });
  it.each(["http://evil.example", "null", "http://localhost:4000"])("refuses a change from a page of %s", (origin) => {
    expect(ask("POST", { host: "localhost:3000", origin })).toContain(origin);
  });
});

describe("contentType", () => {
  const bytes = (...parts: (string | number[])[]) =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part)));
  it.each([
    ["image/jpeg", bytes([0xff, 0xd8, 0xff, 0xe0])],
    ["image/png", bytes([0x89], "PNG\r\n")],
    ["video/mp4", bytes([0, 0, 0, 32], "ftypisom")],
    ["application/json", bytes('  {"format": 1}')],
    ["application/octet-stream", bytes([8, 7, 0x12, 7], "pytorch")],
    ["text/plain; charset=utf-8", bytes("0 0.5 0.5 1 1\n")],
  ])("%s by its first bytes", (mime, head) => expect(contentType(head)?.mime).toBe(mime));
  it("does not know an executable", () => {
    expect(contentType(bytes([0x7f], "ELF", [2, 1, 1, 0]))).toBeUndefined();
  });
});
