/**
 * Gives the memory of tensors back at once. Left to the garbage collector, which sees only small objects, a hundred
 * megabytes of them may wait, and its rounds cost more than a small network's inference.
 */
import type { HostTensor } from "./ir/hostTensor.ts";

/** A closed port: what is transferred to it is detached and dropped. */
const nowhere = (() => {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  return port1;
})();

/** Nothing may read them, or any other view of their buffers, afterwards: they are empty. */
export function freeTensors(tensors: readonly HostTensor[]): void {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors) {
    if (!Array.isArray(data) && data.buffer instanceof ArrayBuffer && data.buffer.byteLength > 0)
      buffers.add(data.buffer);
  }
  if (buffers.size > 0) nowhere.postMessage(undefined, [...buffers]);
}
