import { sizeOf } from "@duelo/core";
import { readFile, stat } from "node:fs/promises";
import { openPromise, type Entry, type ZipFile } from "yauzl";
import { errorCode } from "../run/file-system.ts";
import { DamagedFileError, type Tensors } from "../run/safetensors.ts";
import { unpickle, type Pickled } from "./pickle.ts";
import type { StateDict } from "./state-dict.ts";
import { contiguous, Storage, TensorView, torchRules } from "./torch-tensor.ts";

const maxPickleBytes = 64 << 20;
const maxEntries = 100_000;
const maxLegacyBytes = 2 ** 31 - 1; // what Node reads at once
/** Names that tensors share memory under, as tied weights do. */
const mostShared = 4;
const magic = 0x1950a86a20f9469cfc6cn; // the first number of files from before PyTorch 1.6

/**
 * The state dict of a file that `torch.save` wrote: a zip archive since PyTorch 1.6, a row of pickles
 * before. Built by the rules of `torchRules` alone, so nothing in the file can run. Weights may lie
 * in a dict of dicts: then the only inner one with tensors is taken, or the one named by `key`.
 * @throws DamagedFileError
 */
export async function readTorchFile(path: string, key?: string): Promise<StateDict> {
  const zip = await openPromise(path, { autoClose: false }).catch(() => undefined);
  if (zip === undefined) return readLegacy(path, key);
  try {
    return await readArchive(zip, key);
  } catch (error) {
    if (error instanceof DamagedFileError || errorCode(error) !== undefined) throw error;
    throw new DamagedFileError(`it is a damaged zip archive (${String(error)})`);
  } finally {
    zip.close();
  }
}

async function readArchive(zip: ZipFile, key: string | undefined): Promise<StateDict> {
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.size >= maxEntries) throw new DamagedFileError(`it holds over ${maxEntries} files`);
    entries.set(entry.fileName, entry);
  }
  const pickle = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined)
    throw new DamagedFileError("it is a zip archive, but none that torch.save wrote");
  const folder = pickle.slice(0, pickle.indexOf("/"));
  const rules = torchRules();
  const { value } = unpickle(await readEntry(zip, entries.get(pickle), maxPickleBytes), rules);
  return stateDictOf(value, key, (storage) =>
    readEntry(zip, entries.get(`${folder}/data/${storage.key}`), bytesOf(storage), "exactly"),
  );
}

const bytesOf = (storage: Storage): number => storage.nElements * storage.dtype.nBytes;

async function readEntry(
  zip: ZipFile,
  entry: Entry | undefined,
  nBytes: number,
  how: "exactly" | "at most" = "at most",
): Promise<Uint8Array> {
  if (entry === undefined) throw new DamagedFileError("one of its tensors is not in it");
  const { uncompressedSize: size, compressedSize, fileName } = entry;
  if (size > nBytes || (how === "exactly" && size !== nBytes))
    throw new DamagedFileError(`its part ${fileName} has ${size} bytes instead of ${nBytes}`);
  if (size !== compressedSize)
    throw new DamagedFileError(`its part ${fileName} is compressed, as torch.save never does`);
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of await zip.openReadStreamPromise(entry)) {
    bytes.set(chunk as Uint8Array, at);
    at += (chunk as Uint8Array).length;
  }
  return bytes;
}

/** Pickles of a magic number, the protocol, the system and the object; then keys and storages. */
async function readLegacy(path: string, key: string | undefined): Promise<StateDict> {
  if ((await stat(path)).size > maxLegacyBytes)
    throw new DamagedFileError("it is larger than 2 GiB");
  const bytes = await readFile(path);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) throw new DamagedFileError("it is cut short"); // PK
  if (bytes[0] !== 0x80) throw new DamagedFileError("it is no file of torch.save"); // PROTO
  const rules = torchRules();
  let at = 0;
  const next = (): Pickled => {
    const { value, nBytes } = unpickle(bytes.subarray(at), rules);
    at += nBytes;
    return value;
  };
  if (next() !== magic) throw new DamagedFileError("it is no file of torch.save");
  next(); // protocol
  next(); // system
  const value = next();
  const keys = next();
  const places = new Map<string, number>();
  for (const name of Array.isArray(keys) ? keys : []) {
    const storage = typeof name === "string" ? rules.storages.get(name) : undefined;
    if (storage === undefined || at + 8 > bytes.length)
      throw new DamagedFileError("it ends before its tensors do");
    const nElements = Number(bytes.readBigInt64LE(at));
    if (nElements !== storage.nElements || at + 8 + bytesOf(storage) > bytes.length)
      throw new DamagedFileError("it ends before its tensors do");
    places.set(storage.key, at + 8);
    at += 8 + bytesOf(storage);
  }
  return stateDictOf(value, key, async (storage) => {
    const place = places.get(storage.key);
    if (place === undefined) throw new DamagedFileError("one of its tensors is not in it");
    return bytes.subarray(place, place + bytesOf(storage));
  });
}

async function stateDictOf(
  value: Pickled,
  key: string | undefined,
  bytesFor: (storage: Storage) => Promise<Uint8Array>,
): Promise<StateDict> {
  const tensors: Record<string, Tensors[string]> = {};
  const leftOut: string[] = [];
  const read = new Map<Storage, Uint8Array>();
  let [nShown, nStored] = [0, 0];
  for (const [called, entry] of weightsOf(value, key)) {
    const name = nameOf(called);
    if (!(entry instanceof TensorView) || entry.storage.dtype.float === undefined) {
      leftOut.push(name);
      continue;
    }
    nShown += sizeOf(entry.shape);
    if (!read.has(entry.storage)) nStored += entry.storage.nElements;
    if (nShown > mostShared * nStored)
      throw new DamagedFileError(
        `its tensors show the same numbers more than ${mostShared} times over`,
      );
    const bytes = read.get(entry.storage) ?? (await bytesFor(entry.storage));
    read.set(entry.storage, bytes);
    const data = contiguous(entry, bytes);
    tensors[name] = { dtype: "float32", shape: entry.shape, data };
  }
  return { tensors, leftOut };
}

/** What an entry of a dict is called. Only text and numbers are turned into text: see `Machine.name`. */
function nameOf(value: Pickled): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new DamagedFileError("it has entries whose names are no text");
}

const hasTensors = (value: Pickled | undefined): value is Map<Pickled, Pickled> =>
  value instanceof Map && [...value.values()].some((entry) => entry instanceof TensorView);

function weightsOf(value: Pickled, key: string | undefined): Map<Pickled, Pickled> {
  if (key === undefined && hasTensors(value)) return value;
  const inner = value instanceof Map ? [...value].filter(([, entry]) => hasTensors(entry)) : [];
  const names = inner.map(([name]) => nameOf(name));
  const chosen = key === undefined ? inner : inner.filter(([name]) => nameOf(name) === key);
  const [only] = chosen;
  if (chosen.length === 1 && hasTensors(only?.[1])) return only[1];
  if (names.length === 0)
    throw new DamagedFileError("it holds no tensors by name, as a state dict does");
  throw new DamagedFileError(
    `it holds several sets of weights; choose one with --key: ${names.join(", ")}`,
  );
}
