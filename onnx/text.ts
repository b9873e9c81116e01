/**
 * UTF-8 both ways without loss: bytes that are no UTF-8 become lone surrogates U+DC80..U+DCFF, one a byte, and turn back
 * into the same bytes (the scheme of PEP 383). So a name in a broken encoding stays distinct and is written as it was.
 */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** Names this long are decoded faster without a decoder, where they are plain. */
const SHORT = 64;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

export function decodeText(bytes: Uint8Array): string {
  if (bytes.length <= SHORT && isAscii(bytes)) return Reflect.apply(String.fromCharCode, undefined, bytes);
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeBroken(bytes);
  }
}

export function encodeText(text: string): Uint8Array {
  return LONE_SURROGATE.test(text) ? encodeBroken(text) : encoder.encode(text);
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] ?? 0) > 0x7f) return false;
  return true;
}

/** Length of a UTF-8 sequence by its first byte; 0 for a byte that starts none. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

function decodeBroken(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0);
    const whole = length > 0 ? tryDecode(bytes.subarray(at, at + length)) : undefined;
    parts.push(whole ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)));
    at += whole === undefined ? 1 : length;
  }
  return parts.join("");
}

function tryDecode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function encodeBroken(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) out.push(code - 0xdc00);
    else out.push(...encoder.encode(char));
  }
  return Uint8Array.from(out);
}
