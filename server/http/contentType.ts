/** What a file is, by its first bytes: names lie, and what is served must not be run by a browser. */

export interface ContentType {
  readonly mime: string;
  readonly what: "image" | "model" | "json" | "video" | "text";
}

const text = new TextDecoder("latin1");

/** `head`: the first 64 bytes or more. Undefined for what a pipeline has no use for. */
export function contentType(head: Uint8Array): ContentType | undefined {
  const is = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  const at = (offset: number, word: string) => text.decode(head.subarray(offset, offset + word.length)) === word;
  if (is(0xff, 0xd8, 0xff)) return { mime: "image/jpeg", what: "image" };
  if (is(0x89, 0x50, 0x4e, 0x47)) return { mime: "image/png", what: "image" };
  if (at(0, "RIFF") && at(8, "WEBP")) return { mime: "image/webp", what: "image" };
  if (at(0, "BM")) return { mime: "image/bmp", what: "image" };
  if (at(4, "ftyp")) return { mime: "video/mp4", what: "video" };
  if (is(0x1a, 0x45, 0xdf, 0xa3)) return { mime: "video/x-matroska", what: "video" };
  if (at(0, "RIFF") && at(8, "AVI ")) return { mime: "video/x-msvideo", what: "video" };
  if (/^\s*[[{]/.test(text.decode(head.subarray(0, 64)))) return { mime: "application/json", what: "json" };
  if (looksLikeOnnx(head)) return { mime: "application/octet-stream", what: "model" };
  if (head.length > 0 && head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13)) {
    return { mime: "text/plain; charset=utf-8", what: "text" };
  }
  return undefined;
}

/** A ModelProto begins with one of its fields: ir_version (1), producer (2, 3), graph (7), opset_import (8)... */
function looksLikeOnnx(head: Uint8Array): boolean {
  const first = head[0] ?? 0;
  const field = first >> 3;
  const wire = first & 7;
  const known = [1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26].includes(field);
  return known && wire === (field === 1 || field === 5 ? 0 : 2);
}
