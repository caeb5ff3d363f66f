import { topological, type Graph } from "../graph.ts";
import { sizeOf, type Emitter, type OnnxAttrs, type Tensor, type TensorType } from "../ir.ts";
import type { OnnxNode, OnnxTensor } from "./encode.ts";

/** A constant as an operation asked for it. */
export interface Constant {
  readonly name: string;
  readonly dtype: OnnxTensor["dtype"];
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** Where it was traced, for errors. */
  readonly at: string | undefined;
}

/** What the operations of a graph emitted, in order, nothing shared yet. */
export interface Recording {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly Constant[];
  /** Value name of each tensor that the outputs need. */
  readonly names: ReadonlyMap<Tensor, string>;
}

/** Lets every operation that the outputs need emit itself. */
export function record(graph: Graph): Recording {
  const recorder = new Recorder();
  const names = new Map<Tensor, string>();
  for (const tensor of topological(Object.values(graph.outputs))) {
    recorder.place = tensor.at;
    const inputs = tensor.inputs.map((i) => names.get(i) ?? "");
    names.set(tensor, tensor.op.emit(recorder, tensor, inputs));
  }
  return { nodes: recorder.nodes, constants: recorder.constants, names };
}

// Values are %0, %1, … and constants #0, #1, …: no name that a net or a data field has.
class Recorder implements Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly constants: Constant[] = [];
  place: string | undefined;
  #nValues = 0;

  node(
    opType: string,
    inputs: readonly string[],
    attrs: OnnxAttrs = {},
    options: { outputs?: number; domain?: string } = {},
  ): readonly [string, ...string[]] {
    const value = (): string => `%${this.#nValues++}`;
    const outputs: [string, ...string[]] = [value()];
    while (outputs.length < (options.outputs ?? 1)) outputs.push(value());
    const name = `${this.place === undefined ? "" : `${this.place}/`}${opType}${outputs[0]}`;
    this.nodes.push({ name, opType, domain: options.domain ?? "", inputs, outputs, attrs });
    return outputs;
  }

  ints(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.#keep("int64", shape, values);
  }

  constant(type: TensorType, data: ArrayLike<number>): string {
    return this.#keep(type.dtype, type.shape, data);
  }

  #keep(dtype: Constant["dtype"], shape: readonly number[], values: ArrayLike<number>): string {
    if (values.length !== sizeOf(shape)) {
      throw new TypeError(`a constant of shape [${shape.join(", ")}] has ${values.length} values`);
    }
    const name = `#${this.constants.length}`;
    this.constants.push({ name, dtype, shape, values, at: this.place });
    return name;
  }
}

/** Constants as ONNX holds them, equal ones once; `same` maps each name to the one that stands for it. */
export function shareConstants(constants: readonly Constant[]): {
  tensors: OnnxTensor[];
  same: ReadonlyMap<string, string>;
} {
  const first = new Map<string | ArrayLike<number>, string>();
  const same = new Map<string, string>();
  const tensors: OnnxTensor[] = [];
  for (const { name, dtype, shape, values } of constants) {
    const large = values.length > 1024;
    const key = large ? values : `${dtype}[${shape.join()}] ${Array.from(values).join()}`;
    const known = first.get(key);
    same.set(name, known ?? name);
    if (known !== undefined) continue;
    first.set(key, name);
    tensors.push({ name, dtype, shape, bytes: bytesOf(dtype, values) });
  }
  return { tensors, same };
}

function bytesOf(dtype: Constant["dtype"], values: ArrayLike<number>): Uint8Array {
  if (dtype === "int64") return bytes(BigInt64Array.from(Array.from(values), BigInt));
  if (dtype === "float32") return bytes(Float32Array.from(values));
  return dtype === "int32" ? bytes(Int32Array.from(values)) : Uint8Array.from(values);
}

/** The bytes of a typed array, not copied. */
export const bytes = (a: ArrayBufferView): Uint8Array =>
  new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
