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
