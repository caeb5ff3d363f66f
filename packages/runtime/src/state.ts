import type { Tensor } from "onnxruntime-common";
import type { HostTensor, HostTensors, State } from "./session.ts";

/** Brings tensors that live on a device to the host. */
export type ReadBack = (tensors: ReadonlyMap<string, Tensor>) => Promise<Map<string, Tensor>>;

export interface TensorMaker {
  (value: HostTensor): Tensor;
}

/** The one implementation of State: tensors of ONNX Runtime by name, wherever they are. */
export class TensorState implements State {
  readonly #tensors = new Map<string, Tensor>();
  readonly #make: TensorMaker;
  readonly #readBack: ReadBack;

  constructor(initial: HostTensors, parts: { make: TensorMaker; readBack: ReadBack }) {
    this.#make = parts.make;
    this.#readBack = parts.readBack;
    for (const [name, value] of Object.entries(initial)) this.#tensors.set(name, this.#make(value));
  }

  get names(): string[] {
    return [...this.#tensors.keys()];
  }

  async read(names: readonly string[] = this.names): Promise<Record<string, HostTensor>> {
    const away = new Map<string, Tensor>();
    const values = new Map(names.map((name) => [name, this.tensor(name)] as const));
    for (const [name, t] of values) if (t.location === "gpu-buffer") away.set(name, t);
    const back = away.size > 0 ? await this.#readBack(away) : away;
    return Object.fromEntries(names.map((n) => [n, hostTensor(back.get(n) ?? this.tensor(n))]));
  }

  write(values: HostTensors): void {
    for (const [name, value] of Object.entries(values)) {
      const old = this.tensor(name);
      if (old.type !== value.dtype || old.dims.join() !== value.shape.join()) {
        const given = `${value.dtype} [${value.shape.join(", ")}]`;
        throw new TypeError(
          `state "${name}" is ${old.type} [${old.dims.join(", ")}], not ${given}`,
        );
      }
      this.replace(name, this.#make(value));
    }
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The tensor of an entry, to feed to a session. */
  tensor(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new TypeError(`there is no state "${name}"`);
    return tensor;
  }

  /** Gives up all memory; nothing can be read any more. */
  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  /** Takes over a session's result. */
  replace(name: string, tensor: Tensor): void {
    this.tensor(name).dispose();
    this.#tensors.set(name, tensor);
  }
}

/** A result of a session as the host sees it; the memory is shared, not copied. */
export function hostTensor(tensor: Tensor): HostTensor {
  const { type, dims, data } = tensor;
  if (type === "float32" && data instanceof Float32Array) return { dtype: type, shape: dims, data };
  if (type === "int32" && data instanceof Int32Array) return { dtype: type, shape: dims, data };
  if (type === "uint8" && data instanceof Uint8Array) return { dtype: type, shape: dims, data };
  throw new TypeError(`a tensor of type ${type} cannot leave the runtime`);
}
