/**
 * External data (onnx.proto, TensorProto.external_data): where a tensor's bytes lie in another file of the model's folder.
 * A location is text from a stranger: it must stay within the folder. That it follows no link out of it, the opener of
 * files sees to.
 */
import type { ByteSource } from "./ir/tensor.ts";
import { type Item, Message } from "./message.ts";
import { ModelFormatError } from "./modelFormatError.ts";
import { StringStringEntryProto, TensorProto, ValueInfoProto } from "./proto.ts";

export interface ExternalPlace {
  /** Path within the model's folder, with `/`. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** Opens a data file by its location, which has passed `safeLocation`; refuses links out of the model's folder. */
export type OpenExternal = (location: string) => Promise<ByteSource>;

/** The location as a relative path with `/` and without `.`; throws where it could leave the model's folder. */
export function safeLocation(location: string): string {
  const parts = location.split(/[/\\]/).filter((part) => part !== "" && part !== ".");
  const absolute = /^([/\\]|[a-zA-Z]:)/.test(location);
  if (absolute || parts.length === 0 || parts.includes("..") || location.includes("\0")) {
    throw new ModelFormatError(
      "external-location",
      `the model's data lies at ${JSON.stringify(location)}, which is not within its folder`,
      "Save the model again with its data beside it (onnx.save with save_as_external_data, location a file name).",
    );
  }
  return parts.join("/");
}

export function isExternal(tensor: Message): boolean {
  return tensor.int("data_location") === 1;
}

/** What a tensor says of its place; `length` undefined where it leaves that to its shape. */
export function statedPlace(tensor: Message): { location: string; offset: number; length: number | undefined } {
  const entries = new Map<string, string>();
  for (const entry of tensor.messages("external_data")) entries.set(entry.text("key") ?? "", entry.text("value") ?? "");
  const offset = entries.get("offset");
  const length = entries.get("length");
  return {
    location: safeLocation(entries.get("location") ?? ""),
    offset: offset === undefined ? 0 : byteNumber(offset),
    length: length === undefined ? undefined : byteNumber(length),
  };
}

/** Items of a TensorProto whose data lies at a place. */
export function placeItems({ location, offset, length }: ExternalPlace): Record<string, readonly Item[]> {
  const entry = (key: string, value: string) => Message.of(StringStringEntryProto, { key: [key], value: [value] });
  return {
    external_data: [entry("location", location), entry("offset", String(offset)), entry("length", String(length))],
    data_location: [1],
  };
}

/** Finds the data of every external tensor in a message: opens each file once and holds the places against its size. */
export async function findExternal(
  root: Message,
  open: OpenExternal | undefined,
): Promise<ReadonlyMap<Message, { readonly source: ByteSource; readonly offset: number; readonly length?: number }>> {
  const found = new Map<Message, { source: ByteSource; offset: number; length?: number }>();
  const files = new Map<string, ByteSource>();
  for (const tensor of tensorsOf(root)) {
    if (!isExternal(tensor)) continue;
    const { location, offset, length } = statedPlace(tensor);
    if (!open) continue;
    const source = files.get(location) ?? (await open(location));
    files.set(location, source);
    if (offset + (length ?? 0) > source.size) {
      throw new ModelFormatError(
        "external-range",
        `"${tensor.text("name") ?? ""}" lies at ${offset} of "${location}", which has ${source.size} bytes only`,
        "The data file is cut short or belongs to another model; copy it again together with the model.",
      );
    }
    found.set(tensor, { source, offset, ...(length !== undefined && { length }) });
  }
  return found;
}

/** All TensorProtos within a message. */
export function tensorsOf(message: Message): readonly Message[] {
  const tensors: Message[] = [];
  const visit = (inner: Message) => {
    if (inner.schema === TensorProto) tensors.push(inner);
    else if (inner.schema !== ValueInfoProto) for (const item of inner.items) if (item instanceof Message) visit(item);
  };
  visit(message);
  return tensors;
}

function byteNumber(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new ModelFormatError(
    "external-range",
    `the model says that a tensor's data lies at ${JSON.stringify(text)}, which is no number of bytes`,
    "The model is damaged; export it again.",
  );
}
