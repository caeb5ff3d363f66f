import { PbfReader } from "pbf";

const float = 1; // TensorProto.DataType

/**
 * An ONNX file whose input `name` takes float32 where it took another type of one byte's number, such as
 * uint8. What reads it goes on only if its first operations take either, as a Cast does.
 * @throws TypeError for a file without such an input
 */
export function withFloatInput(file: Uint8Array, name: string): Uint8Array {
  const places = new PbfReader(file).readFields<number[]>((tag, found, model) => {
    if (tag !== 7) return; // the graph
    model.readMessage((part, _, graph) => {
      if (part !== 11) return; // an input
      const input = graph.readMessage(readInput, { name: "", typeAt: -1 });
      if (input.name === name && input.typeAt >= 0) found.push(input.typeAt);
    }, found);
  }, []);
  const [place] = places;
  if (place === undefined) throw new TypeError(`the file has no input "${name}" of a known type`);
  const changed = Uint8Array.from(file);
  changed[place] = float;
  return changed;
}

interface Input {
  name: string;
  typeAt: number;
}

function readInput(tag: number, input: Input, r: PbfReader): void {
  if (tag === 1) input.name = r.readString();
  if (tag === 2) r.readMessage(readType, input);
}

function readType(tag: number, input: Input, r: PbfReader): void {
  if (tag !== 1) return; // no tensor
  r.readMessage((part, into, tensor) => {
    if (part === 1) into.typeAt = tensor.pos; // every type's number takes one byte
  }, input);
}
