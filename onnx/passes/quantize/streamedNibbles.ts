/**
 * 4-bit weights that are computed as they are written: a model far larger than memory passes through, a panel of weights
 * at a time. Data and scales of a weight are two tensors of one computation; the last panel is kept, so that a weight of
 * one panel is read and rounded once.
 */
import { type ByteSource, Tensor } from "../../ir/tensor.ts";
import { type Nibbles, roundColumns, roundRows } from "../../kernels/roundNibbles.ts";

/** A panel's floats in memory. */
const PANEL_BYTES = 2 ** 28;
const FLOAT_BYTES = 4;

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
  /** Floats of the weight that are in memory at a time. */
  readonly panelBytes?: number;
}

/** `weight` [rows, columns] of f32, rounded in blocks down its columns (as MatMulNBits reads a MatMul's weight). */
export function streamedColumns(weight: Tensor, form: StreamedForm): StreamedNibbles {
  const [rows = 0, columns = 0] = weight.dims;
  const width = Math.max(1, Math.min(columns, Math.floor((form.panelBytes ?? PANEL_BYTES) / FLOAT_BYTES / rows)));
  const compute = async (from: number, to: number) => {
    const panel = await readColumns(weight, { rows, columns, from, to });
    return roundColumns(panel, to - from, form.block);
  };
  return streamed(new Panels(columns, width, compute), form, {
    data: (Math.ceil(rows / form.block) * form.block) / 2,
    scales: Math.ceil(rows / form.block) * FLOAT_BYTES,
  });
}

/** `weight` [rows, columns] of f32, columns even, rounded in blocks along its rows (as a Gather takes them). */
export function streamedRows(weight: Tensor, form: StreamedForm): StreamedNibbles {
  const [rows = 0, columns = 0] = weight.dims;
  const height = Math.max(1, Math.min(rows, Math.floor((form.panelBytes ?? PANEL_BYTES) / FLOAT_BYTES / columns)));
  const compute = async (from: number, to: number) =>
    roundRows(await readFloats(weight, from * columns, to * columns), columns, form.block);
  return streamed(new Panels(rows, height, compute), form, {
    data: columns / 2,
    scales: Math.ceil(columns / form.block) * FLOAT_BYTES,
  });
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
    const bytes = new Uint8Array(length);
    for (let at = offset; at < offset + length; ) {
      const { from, to, nibbles } = await this.panels.around(Math.floor(at / this.lineBytes));
      const part = nibbles[this.part];
      const whole = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      const end = Math.min(offset + length, to * this.lineBytes);
      bytes.set(whole.subarray(at - from * this.lineBytes, end - from * this.lineBytes), at - offset);
      at = end;
    }
    // Scales are written behind the data: with their last byte the weight is done.
    if (this.part === "scales" && offset + length === this.size) this.panels.release();
    return bytes;
  }
}

interface Columns {
  readonly rows: number;
  readonly columns: number;
  readonly from: number;
  readonly to: number;
}

async function readColumns(weight: Tensor, { rows, columns, from, to }: Columns): Promise<Float32Array> {
  if (to - from === columns) return readFloats(weight, 0, rows * columns);
  const panel = new Float32Array(rows * (to - from));
  for (let r = 0; r < rows; r++) {
    panel.set(await readFloats(weight, r * columns + from, r * columns + to), r * (to - from));
  }
  return panel;
}

/** Numbers `from` to `to` of a tensor of f32, without its other bytes where they lie in a file. */
async function readFloats(weight: Tensor, from: number, to: number): Promise<Float32Array> {
  const { ref } = weight;
  if (!ref) return (await weight.floats()).subarray(from, to);
  const bytes = await ref.source.read(ref.offset + from * FLOAT_BYTES, (to - from) * FLOAT_BYTES);
  // Aligned already where the source gives a buffer of its own; a view elsewhere is copied.
  const aligned = bytes.byteOffset % FLOAT_BYTES === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(aligned.buffer, aligned.byteOffset, to - from);
}
