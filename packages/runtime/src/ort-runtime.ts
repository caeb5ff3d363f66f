import { inputName, readMetadata, splitLongProducts, toOnnx, type Graph } from "@duelo/core";
import type {
  InferenceSession,
  InferenceSessionFactory,
  Tensor,
  TensorConstructor,
} from "onnxruntime-common";
import { readBackGraph } from "./read-back.ts";
import type {
  CompileOptions,
  Device,
  HostTensor,
  HostTensors,
  LoadedProgram,
  LoadedValue,
  Program,
  Runtime,
  State,
} from "./session.ts";
import { hostTensor, TensorState } from "./state.ts";

/** What differs between ONNX Runtime in Node and in a browser, and between devices. */
export interface Backend {
  readonly device: Device;
  readonly threads: number;
  readonly ort: {
    readonly InferenceSession: InferenceSessionFactory;
    readonly Tensor: TensorConstructor;
  };
  readonly sessionOptions: InferenceSession.SessionOptions;
  /** Turns a graph into the form that runs fastest on this processor alone; none unless given. */
  readonly specialize?: (graph: Graph) => Graph;
}

/** A Runtime over any ONNX Runtime with the common JavaScript interface. */
export class OrtRuntime implements Runtime {
  readonly device: Device;
  readonly threads: number;
  readonly #backend: Backend;
  readonly #open = new Set<InferenceSession>();
  readonly #readers = new Map<string, InferenceSession>();
  readonly #states: TensorState[] = [];

  constructor(backend: Backend) {
    this.#backend = backend;
    this.device = backend.device;
    this.threads = backend.threads;
  }

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Program> {
    const { state = {}, name } = options;
    demandNumbers(graph);
    const special =
      this.device === "webgpu"
        ? splitLongProducts(graph)
        : (this.#backend.specialize?.(graph) ?? graph);
    const session = await this.#session(toOnnx(special, name === undefined ? {} : { name }), state);
    // What a session left on a GPU does not outlive it, so this one stays until the runtime closes.
    const holdsState = this.device === "webgpu" && Object.keys(state).length > 0;
    const close = (): Promise<void> => (holdsState ? Promise.resolve() : this.#close(session));
    return new OrtProgram({ session, state, make: this.#make, close, graph });
  }

  async load(file: Uint8Array): Promise<LoadedProgram> {
    const metadata = readMetadata(file);
    const session = await this.#session(file, {});
    const program = new OrtProgram({
      session,
      state: {},
      make: this.#make,
      close: () => this.#close(session),
    });
    const [inputs, outputs] = [valuesOf(session.inputMetadata), valuesOf(session.outputMetadata)];
    return Object.assign(program, { metadata, inputs, outputs });
  }

  createState(initial: HostTensors): State {
    const readBack = (t: ReadonlyMap<string, Tensor>) => this.#readBack(t);
    const state = new TensorState(initial, { make: this.#make, readBack });
    this.#states.push(state);
    return state;
  }

  async close(): Promise<void> {
    for (const state of this.#states) state.dispose();
    for (const session of this.#open) await this.#close(session);
  }

  readonly #make = (value: HostTensor): Tensor => {
    const { Tensor } = this.#backend.ort;
    if (value.data instanceof Float32Array) return new Tensor("float32", value.data, value.shape);
    if (value.data instanceof Int32Array) return new Tensor("int32", value.data, value.shape);
    return new Tensor("uint8", value.data, value.shape);
  };

  async #session(
    file: Uint8Array,
    state: Readonly<Record<string, string>>,
  ): Promise<InferenceSession> {
    const { ort, sessionOptions, device } = this.#backend;
    const stays = Object.fromEntries(Object.values(state).map((o) => [o, "gpu-buffer"] as const));
    const location = device === "webgpu" ? { preferredOutputLocation: stays } : {};
    const session = await ort.InferenceSession.create(file, { ...sessionOptions, ...location });
    this.#open.add(session);
    return session;
  }

  async #close(session: InferenceSession): Promise<void> {
    if (this.#open.delete(session)) await session.release();
  }

  /** Reads through a session whose outputs are on the host: reading a GPU tensor itself ends the process. */
  async #readBack(tensors: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    const graph = readBackGraph(tensors);
    const key = JSON.stringify(graph.inputs.map((t) => [inputName(t), t.shape]));
    const session = this.#readers.get(key) ?? (await this.#session(toOnnx(graph), {}));
    this.#readers.set(key, session);
    const results = await session.run(Object.fromEntries(tensors));
    return new Map(
      Object.keys(graph.outputs).map((o) => [o.slice("host:".length), results[o] as Tensor]),
    );
  }
}

/** Some ONNX Runtimes cannot hand over bool tensors, so none do. */
function demandNumbers(graph: Graph): void {
  for (const t of [...graph.inputs, ...Object.values(graph.outputs)]) {
    if (t.dtype === "bool") throw new TypeError("inputs and outputs are numbers; cast a bool one");
  }
}

interface ProgramParts {
  readonly session: InferenceSession;
  readonly state: Readonly<Record<string, string>>;
  readonly make: (value: HostTensor) => Tensor;
  readonly close: () => Promise<void>;
  /** Known when it was compiled here; then feeds are checked against it. */
  readonly graph?: Graph;
}

class OrtProgram implements Program {
  readonly #parts: ProgramParts;
  readonly #types: ReadonlyMap<string, { dtype: string; shape: readonly number[] }>;

  constructor(parts: ProgramParts) {
    this.#parts = parts;
    this.#types = new Map((parts.graph?.inputs ?? []).map((t) => [inputName(t), t]));
  }

  async run(feeds: HostTensors, state?: State): Promise<Record<string, HostTensor>> {
    const { session, state: replaces } = this.#parts;
    const inputs: Record<string, Tensor> = {};
    for (const name of session.inputNames) {
      const fed = feeds[name];
      inputs[name] = fed === undefined ? kept(name, state) : this.#feed(name, fed);
    }
    const results = await session.run(inputs);
    const replaced = new Set(Object.values(replaces));
    for (const [name, output] of Object.entries(replaces)) {
      tensorsOf(state).replace(name, results[output] as Tensor);
    }
    const left = session.outputNames.filter((name) => !replaced.has(name));
    return Object.fromEntries(left.map((name) => [name, hostTensor(results[name] as Tensor)]));
  }

  close(): Promise<void> {
    return this.#parts.close();
  }

  #feed(name: string, value: HostTensor): Tensor {
    const type = this.#types.get(name);
    if (type && (type.dtype !== value.dtype || type.shape.join() !== value.shape.join())) {
      const given = `${value.dtype} [${value.shape.join(", ")}]`;
      throw new TypeError(
        `input "${name}" is ${type.dtype} [${type.shape.join(", ")}], not ${given}`,
      );
    }
    return this.#parts.make(value);
  }
}

const valuesOf = (values: readonly InferenceSession.ValueMetadata[]): LoadedValue[] =>
  values.flatMap((v) => (v.isTensor ? [{ name: v.name, type: v.type, shape: v.shape }] : []));

function kept(name: string, state: State | undefined): Tensor {
  if (state instanceof TensorState && state.has(name)) return state.tensor(name);
  throw new TypeError(`input "${name}" is neither fed nor state`);
}

function tensorsOf(state: State | undefined): TensorState {
  if (state instanceof TensorState) return state;
  throw new TypeError("this program keeps state: run it with one made by createState");
}
