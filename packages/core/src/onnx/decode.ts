import { PbfReader } from "pbf";

/** The metadata of an ONNX file: what `toOnnx` was given. Other ONNX files may have none. */
export function readMetadata(file: Uint8Array): Record<string, string> {
  return new PbfReader(file).readFields<Record<string, string>>((tag, metadata, r) => {
    if (tag !== 14) return;
    const { key, value } = r.readMessage(readPair, { key: "", value: "" });
    metadata[key] = value;
  }, {});
}

function readPair(tag: number, pair: { key: string; value: string }, r: PbfReader): void {
  if (tag === 1) pair.key = r.readString();
  if (tag === 2) pair.value = r.readString();
}

/** A tensor of an ONNX file. */
export interface FileTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The float32 weights that an ONNX file holds, by name. */
export function readInitializers(file: Uint8Array): Record<string, FileTensor> {
  return new PbfReader(file).readFields<Record<string, FileTensor>>((tag, tensors, r) => {
    if (tag === 7) r.readMessage(readGraph, tensors);
  }, {});
}

function readGraph(tag: number, tensors: Record<string, FileTensor>, r: PbfReader): void {
  if (tag !== 5) return;
  const empty: RawTensor = { name: "", type: 0, shape: [], raw: new Uint8Array() };
  const { name, type, shape, raw } = r.readMessage(readTensor, empty);
  if (type === 1) tensors[name] = { shape, data: new Float32Array(Uint8Array.from(raw).buffer) };
}

interface RawTensor {
  name: string;
  type: number;
  shape: number[];
  raw: Uint8Array;
}

function readTensor(tag: number, tensor: RawTensor, r: PbfReader): void {
  if (tag === 1) r.readPackedVarint(tensor.shape);
  if (tag === 2) tensor.type = r.readVarint();
  if (tag === 8) tensor.name = r.readString();
  if (tag === 9) tensor.raw = r.readBytes();
}
