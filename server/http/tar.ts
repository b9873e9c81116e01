/** A folder of the store as one tar archive (POSIX ustar), streamed: a header of 512 bytes, the file, zeros up to 512. */
import { createReadStream } from "node:fs";

export interface TarEntry {
  readonly name: string;
  readonly size: number;
  readonly path: string;
}

const BLOCK = 512;

export async function* tar(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const { name, size, path } of entries) {
    yield header(name, size);
    for await (const chunk of createReadStream(path)) yield chunk;
    yield new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield new Uint8Array(2 * BLOCK);
}

export function tarSize(entries: readonly TarEntry[]): number {
  return entries.reduce((sum, { size }) => sum + BLOCK + Math.ceil(size / BLOCK) * BLOCK, 2 * BLOCK);
}

function header(name: string, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const [prefix, base] = split(name);
  block.write(base, 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  writeSize(block, size);
  block.write("00000000000\0", 136);
  block.write("        0", 148);
  block.write("ustar\0" + "00", 257);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** Octal up to 8 GiB; above that GNU's and POSIX readers take base 256, marked by the high bit. */
function writeSize(block: Buffer, size: number): void {
  if (size < 8 ** 11) {
    block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
    return;
  }
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}

/** ustar holds 155 bytes of folders and 100 of a name; a longer one keeps its end. */
function split(name: string): [string, string] {
  if (Buffer.byteLength(name) <= 100) return ["", name];
  const slash = name.indexOf("/", Math.max(0, name.length - 101));
  const prefix = slash < 0 ? "" : name.slice(0, slash);
  const base = slash < 0 ? name : name.slice(slash + 1);
  return [Buffer.from(prefix).subarray(-155).toString(), Buffer.from(base).subarray(-100).toString()];
}
