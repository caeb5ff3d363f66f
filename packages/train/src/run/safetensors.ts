import { readAll, writeAll, type OpenFile } from "./file-system.ts";
import { widen } from "./floats.ts";

/**
 * The safetensors format: 8 bytes with the length N of the header (little endian), N bytes of JSON
 * (name -> dtype, shape, data_offsets; and `__metadata__`, strings to strings), then the data of all
 * tensors without holes or overlaps, little endian. Definition: huggingface/safetensors, README.
 */
export type Tensor =
  | { readonly dtype: "float32"; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "int32"; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: "int64"; readonly shape: readonly number[]; readonly data: BigInt64Array }
  | {
      readonly dtype: "uint8" | "bool";
      readonly shape: readonly number[];
      readonly data: Uint8Array;
    };

export type Tensors = Readonly<Record<string, Tensor>>;
export type Metadata = Readonly<Record<string, string>>;

/** A file that is not whole and valid. The message completes the sentence "FILE is damaged: ...". */
export class DamagedFileError extends Error {
  override readonly name = "DamagedFileError";
}

export const maxHeaderBytes = 100_000_000; // the limit of the reference implementation
const chunkBytes = 4 << 20;

const codes = { float32: "F32", int32: "I32", int64: "I64", uint8: "U8", bool: "BOOL" } as const;
type Stored = Tensor["dtype"] | "float16" | "bfloat16" | "float64";
const dtypes = new Map<unknown, Stored>([
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["F64", "float64"],
  ["I32", "int32"],
  ["I64", "int64"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
]);
const bytesPerElement: Readonly<Record<Stored, number>> = {
  ...{ float32: 4, float16: 2, bfloat16: 2, float64: 8 },
  ...{ int32: 4, int64: 8, uint8: 1, bool: 1 },
};

type Place = { name: string; dtype: Stored; shape: number[]; begin: number; end: number };

/** Where a reader or writer tells what passes, in the order of the file; for a digest. */
export type Watch = (bytes: Uint8Array) => void;

/**
 * Writes tensors from the start of `file`, without a copy of their data. The largest elements come
 * first and the header is padded to 8 bytes, so that a reader may map the file into memory.
 * @returns the number of bytes written
 */
export async function writeSafetensors(
  file: OpenFile,
  content: { tensors: Tensors; metadata?: Metadata },
  watch?: Watch,
): Promise<number> {
  const head = encodeHeader(content);
  await writeAll(file, head, 0);
  watch?.(head);
  let position = head.length;
  for (const [, tensor] of inFileOrder(content.tensors)) {
    const bytes = bytesOf(tensor);
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const chunk = bytes.subarray(at, at + chunkBytes);
      await writeAll(file, chunk, position);
      watch?.(chunk);
      position += chunk.length;
    }
  }
  return position;
}

/** The size in bytes of the file that `writeSafetensors` writes. */
export function safetensorsSize(content: { tensors: Tensors; metadata?: Metadata }): number {
  const nBytes = Object.values(content.tensors).reduce((sum, t) => sum + t.data.byteLength, 0);
  return encodeHeader(content).length + nBytes;
}

/**
 * Reads a whole file; floats of other widths become float32. Every size is checked against the file
 * before memory is set aside for it.
 * @throws DamagedFileError
 */
export async function readSafetensors(
  file: OpenFile,
  watch?: Watch,
): Promise<{ tensors: Tensors; metadata: Metadata }> {
  const { head, places, metadata } = await readHeader(file);
  watch?.(head);
  const tensors: [string, Tensor][] = [];
  for (const place of places) {
    const bytes = new Uint8Array(place.end - place.begin);
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const chunk = bytes.subarray(at, at + chunkBytes);
      const nRead = await readAll(file, chunk, head.length + place.begin + at);
      if (nRead < chunk.length) throw new DamagedFileError("it ended while it was read");
      watch?.(chunk);
    }
    tensors.push([place.name, toTensor(place, bytes)]);
  }
  return { tensors: Object.fromEntries(tensors), metadata };
}

/**
 * Reads and checks the header alone. `head` is the part of the file before the data.
 * @throws DamagedFileError
 */
export async function readHeader(
  file: OpenFile,
): Promise<{ head: Uint8Array; places: readonly Place[]; metadata: Metadata }> {
  const nFile = await file.size();
  const length = new Uint8Array(8);
  if ((await readAll(file, length, 0)) < 8) {
    throw new DamagedFileError(`it has ${nFile} bytes, too few for a header`);
  }
  const nHeader = new DataView(length.buffer).getBigUint64(0, true);
  if (nHeader > BigInt(maxHeaderBytes)) {
    throw new DamagedFileError(`its header claims ${nHeader} bytes, more than ${maxHeaderBytes}`);
  }
  if (nHeader > BigInt(nFile - 8)) {
    throw new DamagedFileError(`its header claims ${nHeader} bytes, and the file ends before that`);
  }
  const head = new Uint8Array(8 + Number(nHeader));
  if ((await readAll(file, head, 0)) < head.length) {
    throw new DamagedFileError("it ended while it was read");
  }
  const { places, metadata } = parseHeader(head.subarray(8));
  checkCover(places, nFile - head.length);
  return { head, places, metadata };
}

function inFileOrder(tensors: Tensors): [string, Tensor][] {
  const entries = Object.entries(tensors);
  return entries.toSorted(([, a], [, b]) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype]);
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function encodeHeader({
  tensors,
  metadata,
}: {
  tensors: Tensors;
  metadata?: Metadata;
}): Uint8Array {
  const fields: [string, unknown][] = metadata ? [["__metadata__", metadata]] : [];
  let begin = 0;
  for (const [name, { dtype, shape, data }] of inFileOrder(tensors)) {
    if (name === "__metadata__") throw new Error("no tensor can be named __metadata__");
    const nElements = shape.reduce((product, size) => product * size, 1);
    if (nElements !== data.length) {
      throw new Error(
        `tensor ${name} has ${data.length} elements, its shape [${shape.join(", ")}] ${nElements}`,
      );
    }
    const end = begin + data.byteLength;
    fields.push([name, { dtype: codes[dtype], shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
  const nPadded = Math.ceil(json.length / 8) * 8;
  if (nPadded > maxHeaderBytes)
    throw new Error(`a header of ${nPadded} bytes is over ${maxHeaderBytes}`);
  const head = new Uint8Array(8 + nPadded).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(nPadded), true);
  head.set(json, 8);
  return head;
}

function parseHeader(bytes: Uint8Array): { places: Place[]; metadata: Metadata } {
  if (bytes[0] !== 0x7b) throw new DamagedFileError("its header does not begin with {");
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new DamagedFileError("its header is not JSON");
  }
  if (!isRecord(header)) throw new DamagedFileError("its header is not JSON");
  const { __metadata__: metadata = {}, ...tensors } = header;
  if (!isMetadata(metadata)) {
    throw new DamagedFileError("its __metadata__ holds something other than strings");
  }
  const places = Object.entries(tensors).map(([name, entry]) => parsePlace(name, entry));
  return { places: places.toSorted((a, b) => a.begin - b.begin || a.end - b.end), metadata };
}

function parsePlace(name: string, entry: unknown): Place {
  const bad = (what: string) =>
    new DamagedFileError(`its tensor ${JSON.stringify(name)} has ${what}`);
  if (!isRecord(entry)) throw bad("no description");
  const dtype = dtypes.get(entry["dtype"]);
  if (dtype === undefined)
    throw bad(`dtype ${JSON.stringify(entry["dtype"])}, which is not supported`);
  const { shape, data_offsets: offsets } = entry;
  if (!isSizes(shape)) throw bad("a bad shape");
  if (!isSizes(offsets)) throw bad("bad data_offsets");
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2 || end < begin) {
    throw bad("bad data_offsets");
  }
  const nBytes = shape.reduce((product, size) => product * size, bytesPerElement[dtype]);
  if (nBytes !== end - begin) {
    throw bad(`${end - begin} bytes, and its shape [${shape.join(", ")}] needs ${nBytes}`);
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors, in the order of the file, must cover its data exactly. */
function checkCover(places: readonly Place[], nData: number): void {
  let end = 0;
  for (const place of places) {
    if (place.begin !== end) {
      const what = place.begin < end ? "overlaps the tensor before it" : "has a hole before it";
      throw new DamagedFileError(`its tensor ${JSON.stringify(place.name)} ${what}`);
    }
    end = place.end;
  }
  if (end !== nData) {
    throw new DamagedFileError(`it has ${nData} bytes of data, and its header describes ${end}`);
  }
}

function toTensor({ dtype, shape }: Place, bytes: Uint8Array<ArrayBuffer>): Tensor {
  if (dtype === "float32") return { dtype, shape, data: new Float32Array(bytes.buffer) };
  if (dtype === "int32") return { dtype, shape, data: new Int32Array(bytes.buffer) };
  if (dtype === "int64") return { dtype, shape, data: new BigInt64Array(bytes.buffer) };
  if (dtype === "uint8" || dtype === "bool") return { dtype, shape, data: bytes };
  return { dtype: "float32", shape, data: widen(bytes, dtype) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMetadata(value: unknown): value is Metadata {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
