/**
 * A constant tensor whose bytes may lie elsewhere: in memory, in a part of a file, in an external data file.
 * Nothing is read until `bytes()` is called, so a graph with gigabytes of weights costs only its structure.
 */
import { DataType, dataTypeBits, dataTypeName, packedByteLength } from "./dataType.ts";

/** Random access to bytes: a file, a Blob, an HTTP range, a buffer. `read` returns exactly `length` bytes or throws. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `bytes`: for who reads gigabytes through the same memory. */
  readInto?(bytes: Uint8Array, offset: number): Promise<void>;
}

/** Where a tensor's packed little-endian bytes are: `length` bytes from `offset` of `source`. */
export interface DataRef {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
}

export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    read: async (offset, length) => {
      if (offset < 0 || offset + length > bytes.byteLength) throw new RangeError("read past the end of the buffer");
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** Number of elements of a shape; throws where the product is no safe integer or a dimension is negative. */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) throw new RangeError(`a tensor cannot have the dimension ${dim}`);
    count *= dim;
    if (!Number.isSafeInteger(count)) throw new RangeError(`a tensor of ${dims.join("x")} elements is too large`);
  }
  return count;
}

/**
 * Immutable. Strings live in `strings`; every other type in packed little-endian bytes (`inline` or `ref`).
 * `origin` is the TensorProto this was read from, written back as it was while the tensor is untouched.
 */
export class Tensor {
  constructor(
    readonly dataType: number,
    readonly dims: readonly number[],
    private readonly content: { inline?: Uint8Array; ref?: DataRef; strings?: readonly Uint8Array[]; origin?: unknown },
  ) {}

  /** From packed little-endian bytes or a typed array of the element type's own width (f16: Uint16Array). */
  static of(dataType: number, dims: readonly number[], data: TypedArray): Tensor {
    const inline = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const expected = packedByteLength(dataType, elementCount(dims));
    if (expected !== inline.byteLength) {
      throw new RangeError(
        `${dataTypeName(dataType)} [${dims.join(",")}] takes ${expected} bytes, but ${inline.byteLength} were given`,
      );
    }
    return new Tensor(dataType, dims, { inline });
  }

  static f32(dims: readonly number[], data: Float32Array | readonly number[]): Tensor {
    return Tensor.of(DataType.FLOAT, dims, data instanceof Float32Array ? data : Float32Array.from(data));
  }

  /** Beyond the type's ends a number stands for the end: 2^63 - 1, "to the last" in a Slice, is no JavaScript number. */
  static i64(dims: readonly number[], data: readonly number[]): Tensor {
    return Tensor.of(DataType.INT64, dims, BigInt64Array.from(data, saturated));
  }

  get size(): number {
    return elementCount(this.dims);
  }
  /** Packed bytes; for strings the sum of their lengths. */
  get byteLength(): number {
    if (this.content.strings) return this.content.strings.reduce((sum, s) => sum + s.byteLength, 0);
    return (
      packedByteLength(this.dataType, this.size) ?? this.content.inline?.byteLength ?? this.content.ref?.length ?? 0
    );
  }
  get ref(): DataRef | undefined {
    return this.content.ref;
  }
  get strings(): readonly Uint8Array[] | undefined {
    return this.content.strings;
  }
  get origin(): unknown {
    return this.content.origin;
  }

  /** The bytes where they are in memory already; undefined where reading them is needed (`bytes`). */
  get inlineBytes(): Uint8Array | undefined {
    return this.content.inline;
  }

  /** Packed little-endian bytes. Do not write into them. */
  async bytes(): Promise<Uint8Array> {
    const { inline, ref } = this.content;
    if (inline) return inline;
    if (ref) return ref.source.read(ref.offset, ref.length);
    throw new TypeError(
      this.content.strings
        ? "a tensor of strings has no packed bytes"
        : `the bytes of a ${dataTypeName(this.dataType)} tensor lie in external data that was not opened`,
    );
  }

  /** Elements as f32: f32, f16, bf16, f64 and integers up to 32 bits are converted; others throw. */
  async floats(): Promise<Float32Array> {
    return floatsFromBytes(this.dataType, await this.bytes(), this.size);
  }

  /** Small integer or float constants that shape inference needs, at once; undefined where not in memory. */
  get numbers(): readonly number[] | undefined {
    const bytes = this.content.inline;
    return bytes === undefined ? undefined : numbersFromBytes(this.dataType, bytes, this.size);
  }
}

/** Aligned view of the bytes as the given typed array, copying only where the alignment demands it. */
export function viewAs<T extends TypedArray>(
  ctor: { new (buffer: ArrayBufferLike, byteOffset: number, length: number): T; BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): T {
  // A copy by constructor: `slice` of a Node Buffer is a view.
  const aligned = bytes.byteOffset % ctor.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new ctor(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / ctor.BYTES_PER_ELEMENT));
}

export function halfToFloat(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 0x1f;
  const fraction = h & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function numbersFromBytes(dataType: number, bytes: Uint8Array, count: number): readonly number[] | undefined {
  switch (dataType) {
    case DataType.INT64:
      return Array.from(viewAs(BigInt64Array, bytes), Number);
    case DataType.UINT64:
      return Array.from(viewAs(BigUint64Array, bytes), Number);
    case DataType.DOUBLE:
      return Array.from(viewAs(Float64Array, bytes));
    default: {
      const bits = dataTypeBits(dataType);
      if (bits === undefined || bits > 32 || (bits === 8 && dataType > DataType.DOUBLE)) return undefined;
      return Array.from(floatsFromBytesOrNull(dataType, bytes, count) ?? []);
    }
  }
}

function floatsFromBytes(dataType: number, bytes: Uint8Array, count: number): Float32Array {
  const floats = floatsFromBytesOrNull(dataType, bytes, count);
  if (!floats) throw new TypeError(`${dataTypeName(dataType)} cannot be read as f32`);
  return floats;
}

function floatsFromBytesOrNull(dataType: number, bytes: Uint8Array, count: number): Float32Array | null {
  switch (dataType) {
    case DataType.FLOAT:
      return viewAs(Float32Array, bytes);
    case DataType.FLOAT16:
      return Float32Array.from(viewAs(Uint16Array, bytes), halfToFloat);
    case DataType.BFLOAT16: {
      const widened = Uint32Array.from(viewAs(Uint16Array, bytes), (x) => x << 16);
      return new Float32Array(widened.buffer);
    }
    case DataType.DOUBLE:
      return Float32Array.from(viewAs(Float64Array, bytes));
    case DataType.UINT8:
    case DataType.BOOL:
      return Float32Array.from(bytes);
    case DataType.INT8:
      return Float32Array.from(viewAs(Int8Array, bytes));
    case DataType.UINT16:
      return Float32Array.from(viewAs(Uint16Array, bytes));
    case DataType.INT16:
      return Float32Array.from(viewAs(Int16Array, bytes));
    case DataType.INT32:
      return Float32Array.from(viewAs(Int32Array, bytes));
    case DataType.UINT32:
      return Float32Array.from(viewAs(Uint32Array, bytes));
    case DataType.UINT4:
    case DataType.INT4:
      return floatsFromNibbles(bytes, count, dataType === DataType.INT4);
    default:
      return null;
  }
}

/** The low nibble comes first (onnx.proto, TensorProto.int32_data). */
function floatsFromNibbles(bytes: Uint8Array, count: number, signed: boolean): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const nibble = ((bytes[i >> 1] ?? 0) >> ((i & 1) * 4)) & 15;
    out[i] = signed && nibble > 7 ? nibble - 16 : nibble;
  }
  return out;
}

const INT64_MAX = 2n ** 63n - 1n;

function saturated(x: number): bigint {
  const integer = BigInt(x);
  if (integer > INT64_MAX) return INT64_MAX;
  return integer < -INT64_MAX - 1n ? -INT64_MAX - 1n : integer;
}
