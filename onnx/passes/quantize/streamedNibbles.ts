/**
 * 4-bit weights that are computed as they are written: a model far larger than memory passes through, a stripe of some rows
 * at a time, the next one read while one is rounded. What becomes of a panel of the weight is kept until it is written;
 * data and scales of a weight are two tensors of one computation, so that a weight of one panel is read and rounded once.
 */
import { type ByteSource, elementCount, Tensor } from "../../ir/tensor.ts";
import { allFinite } from "../../kernels/allFinite.ts";
import { type Nibbles, nibbleColumns, roundDown, roundRows, roundStripe } from "../../kernels/roundNibbles.ts";
import { weightNotFinite } from "./finiteFloats.ts";

/** Of a panel, rounded. */
const PANEL_BYTES = 2 ** 28;
/** Of floats that are read at a time: enough for a disk, few enough for a cache. */
const STRIPE_BYTES = 2 ** 22;
const FLOAT_BYTES = 4;
const PER_BYTE = 2;

export interface StreamedNibbles {
  readonly data: Tensor;
  readonly scales: Tensor;
}

export interface StreamedForm {
  readonly block: number;
  /** Type of the packed integers, and shapes of both tensors. */
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly scaleType: number;
  readonly scaleDims: readonly number[];
  /** Whose weight it is, for a message. */
  readonly node: string;
  /** Whether the reader takes scales above zero alone; else the farthest weight of a block becomes -8. */
  readonly positive?: boolean;
  readonly panelBytes?: number;
  readonly stripeBytes?: number;
}

/** `weight` [rows, columns] of f32, rounded in blocks down its columns (as MatMulNBits reads a MatMul's weight). */
export function streamedColumns(weight: Tensor, form: StreamedForm): StreamedNibbles {
  const [rows = 0, columns = 0] = weight.dims;
  const { block, node } = form;
  const width = atLeastOne((panelBytes(form) * PER_BYTE) / rows, columns);
  const compute = async (from: number, to: number) => {
    const out = nibbleColumns(rows, to - from, block);
    const height = atLeastOne(stripeBytes(form) / FLOAT_BYTES / (to - from) / block) * block;
    const read = (row: number, end: number, into: Float32Array) =>
      readPart(weight, { columns, from, to, row, end }, into);
    for await (const { at, values } of stripes({ rows, height, width: to - from }, read)) {
      if (!roundStripe(values, at / block, out)) throw weightNotFinite(node);
    }
    return { data: new Uint8Array(out.words.buffer), scales: out.scales };
  };
  return streamed(new Panels(columns, width, compute), form, {
    data: (Math.ceil(rows / block) * block) / PER_BYTE,
    scales: Math.ceil(rows / block) * FLOAT_BYTES,
  });
}

/** `weight` [rows, ...] of f32, an even number a row, rounded in blocks along its rows (as a Gather takes them). */
export function streamedRows(weight: Tensor, form: StreamedForm): StreamedNibbles {
  const [rows = 0, ...inner] = weight.dims;
  const columns = elementCount(inner);
  const { block, positive } = form;
  const line = { floats: columns, scales: Math.ceil(columns / block) };
  return streamedLines(weight, form, {
    count: rows,
    ...line,
    round: (part) => roundRows(part, columns, block, positive),
  });
}

/** `weight` [rows, columns] of f32, rows whole blocks of an even size, rounded down its columns and left in its order. */
export function streamedDown(weight: Tensor, form: StreamedForm): StreamedNibbles {
  const [rows = 0, columns = 0] = weight.dims;
  const { block, positive } = form;
  const line = { floats: block * columns, scales: columns };
  return streamedLines(weight, form, {
    count: rows / block,
    ...line,
    round: (part) => roundDown(part, columns, block, positive),
  });
}

/** Parts of a weight that are rounded by themselves, one behind the other. */
interface Lines {
  readonly count: number;
  /** Of one line. */
  readonly floats: number;
  readonly scales: number;
  readonly round: (lines: Float32Array) => Nibbles;
}

function streamedLines(weight: Tensor, form: StreamedForm, { count, floats, scales, round }: Lines): StreamedNibbles {
  const compute = async (from: number, to: number) => {
    const nibbles = {
      data: new Uint8Array(((to - from) * floats) / PER_BYTE),
      scales: new Float32Array((to - from) * scales),
    };
    const height = atLeastOne(stripeBytes(form) / FLOAT_BYTES / floats);
    const read = (line: number, end: number, into: Float32Array) =>
      readFloats(weight, (from + line) * floats, into.subarray(0, (end - line) * floats));
    for await (const { at, values } of stripes({ rows: to - from, height, width: floats }, read)) {
      if (!allFinite(values)) throw weightNotFinite(form.node);
      const part = round(values);
      nibbles.data.set(part.data, (at * floats) / PER_BYTE);
      nibbles.scales.set(part.scales, at * scales);
    }
    return nibbles;
  };
  return streamed(new Panels(count, atLeastOne((panelBytes(form) * PER_BYTE) / floats, count), compute), form, {
    data: floats / PER_BYTE,
    scales: scales * FLOAT_BYTES,
  });
}

function panelBytes({ panelBytes = PANEL_BYTES }: StreamedForm): number {
  return panelBytes;
}

function stripeBytes({ stripeBytes = STRIPE_BYTES }: StreamedForm): number {
  return stripeBytes;
}

function atLeastOne(count: number, most = Number.POSITIVE_INFINITY): number {
  return Math.max(1, Math.min(Math.floor(count), most));
}

/** Fills `into` from its start with some rows, and returns that part. */
type ReadRows = (row: number, end: number, into: Float32Array) => Promise<Float32Array>;

/** Some rows at a time, `at` the first of them, good until the next are asked for; those are read meanwhile. */
async function* stripes(
  { rows, height, width }: { readonly rows: number; readonly height: number; readonly width: number },
  read: ReadRows,
): AsyncGenerator<{ readonly at: number; readonly values: Float32Array }> {
  const length = Math.min(rows, height) * width;
  let [idle, busy] = [new Float32Array(length), new Float32Array(rows > height ? length : 0)];
  const from = (at: number, into: Float32Array) =>
    at < rows ? read(at, Math.min(rows, at + height), into) : undefined;
  let next = from(0, idle);
  for (let at = 0; next; at += height) {
    const values: Float32Array = await next;
    [idle, busy] = [busy, idle];
    next = from(at + height, idle);
    // Its failure is told when it is waited for.
    next?.catch(() => {});
    yield { at, values };
  }
}

/** Lines (columns or rows of a weight) rounded a panel at a time; the last one is kept. */
class Panels {
  #kept: { readonly from: number; readonly to: number; readonly nibbles: Promise<Nibbles> } | undefined;

  constructor(
    private readonly lines: number,
    private readonly size: number,
    private readonly compute: (from: number, to: number) => Promise<Nibbles>,
  ) {}

  async around(line: number): Promise<{ from: number; to: number; nibbles: Nibbles }> {
    if (!this.#kept || line < this.#kept.from || line >= this.#kept.to) {
      const from = Math.floor(line / this.size) * this.size;
      const to = Math.min(this.lines, from + this.size);
      this.#kept = { from, to, nibbles: this.compute(from, to) };
    }
    const { from, to, nibbles } = this.#kept;
    return { from, to, nibbles: await nibbles };
  }

  /** Nothing more is asked for until the next reading. */
  release(): void {
    this.#kept = undefined;
  }

  get count(): number {
    return this.lines;
  }
}

function streamed(
  panels: Panels,
  form: StreamedForm,
  lineBytes: { readonly data: number; readonly scales: number },
): StreamedNibbles {
  const tensor = (part: keyof Nibbles, dataType: number, dims: readonly number[]) => {
    const source = new PanelSource(panels, part, lineBytes[part]);
    return new Tensor(dataType, dims, { ref: { source, offset: 0, length: source.size } });
  };
  return {
    data: tensor("data", form.dataType, form.dims),
    scales: tensor("scales", form.scaleType, form.scaleDims),
  };
}

/** One of the two tensors as bytes: line after line, each of the same length. */
class PanelSource implements ByteSource {
  readonly size: number;

  constructor(
    private readonly panels: Panels,
    private readonly part: keyof Nibbles,
    private readonly lineBytes: number,
  ) {
    this.size = panels.count * lineBytes;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < 0 || offset + length > this.size) throw new RangeError("read past the end of the tensor");
    const parts: Uint8Array[] = [];
    for (let at = offset; at < offset + length; ) {
      const { from, to, nibbles } = await this.panels.around(Math.floor(at / this.lineBytes));
      const part = nibbles[this.part];
      const whole = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      const end = Math.min(offset + length, to * this.lineBytes);
      parts.push(whole.subarray(at - from * this.lineBytes, end - from * this.lineBytes));
      at = end;
    }
    // Scales are written behind the data: with their last byte the weight is done.
    if (this.part === "scales" && offset + length === this.size) this.panels.release();
    const [only, ...others] = parts;
    return only && others.length === 0 ? only : joined(parts, length);
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

interface Part {
  readonly columns: number;
  /** Columns. */
  readonly from: number;
  readonly to: number;
  /** Rows. */
  readonly row: number;
  readonly end: number;
}

async function readPart(weight: Tensor, part: Part, into: Float32Array): Promise<Float32Array> {
  const { columns, from, to, row, end } = part;
  const width = to - from;
  const values = into.subarray(0, (end - row) * width);
  if (width === columns) return readFloats(weight, row * columns, values);
  for (let r = row; r < end; r++) {
    await readFloats(weight, r * columns + from, values.subarray((r - row) * width, (r - row + 1) * width));
  }
  return values;
}

/** Fills `into` with the numbers of a tensor of f32 from `from` on, without its other bytes where they lie in a file. */
async function readFloats(weight: Tensor, from: number, into: Float32Array): Promise<Float32Array> {
  const { ref } = weight;
  if (!ref) {
    into.set((await weight.floats()).subarray(from, from + into.length));
    return into;
  }
  const { source } = ref;
  const offset = ref.offset + from * FLOAT_BYTES;
  const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
  if (source.readInto) await source.readInto(bytes, offset);
  else bytes.set(await source.read(offset, bytes.length));
  return into;
}
