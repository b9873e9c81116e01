/** The beginning of an artifact's text, for faces: whole lines within the first bytes, so that a long video costs no more. */
import { useEffect, useState } from "react";

const HEAD_BYTES = 256 * 1024;

/** Undefined while it loads, where the address is undefined, and where it cannot be had. */
export function useHead(url: string | undefined, bytes = HEAD_BYTES): string | undefined {
  const [head, setHead] = useState<{ readonly url: string; readonly text: string }>();
  useEffect(() => {
    if (!url) return;
    const abort = new AbortController();
    readHead(url, bytes, abort.signal)
      .then((text) => setHead({ url, text }))
      .catch(() => undefined);
    return () => abort.abort();
  }, [url, bytes]);
  return head && head.url === url ? head.text : undefined;
}

async function readHead(url: string, bytes: number, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body) throw new Error(`${response.status}`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let read = 0;
  while (read < bytes) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    read += value.byteLength;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.slice(0, text.lastIndexOf("\n") + 1);
}
