import { UserError, type DType, type Graph } from "@duelo/core";

export type Device = "cpu" | "webgpu" | "cuda" | "wasm";

/** A dense tensor in memory that JavaScript sees; row-major. `bool` does not cross the border. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}
export type HostTensors = Readonly<Record<string, HostTensor>>;

export interface RuntimeOptions {
  /** The machine's CPU unless said otherwise (`cpu` in Node, `wasm` in a browser). */
  readonly device?: Device;
  /** Threads for one operation; as many as the machine has cores unless said otherwise. */
  readonly threads?: number;
}

/** ONNX Runtime on one device. The same graph, feeds and threads give the same bits on `cpu` and `wasm`. */
export interface Runtime {
  readonly device: Device;
  readonly threads: number;
  /** Compiles a graph. `state` names entries of a State, and for each the output that replaces it. */
  compile(graph: Graph, options?: CompileOptions): Promise<Program>;
  /** Loads an ONNX file. Its inputs may have any extent where the file leaves one free. */
  load(file: Uint8Array): Promise<LoadedProgram>;
  /** Values that stay with the device from run to run; several programs may share them. */
  createState(initial: HostTensors): State;
  /** Releases all programs and states; read what is to be kept before. */
  close(): Promise<void>;
}

export interface CompileOptions {
  readonly state?: Readonly<Record<string, string>>;
  /** Names the graph in ONNX Runtime's own messages. */
  readonly name?: string;
}

export interface Program {
  /**
   * Runs once. Inputs that `feeds` does not have are taken from `state`; the result holds all outputs
   * that replace no state. Throws TypeError when a feed is missing or has another shape or dtype than the graph.
   */
  run(feeds: HostTensors, state?: State): Promise<Record<string, HostTensor>>;
  close(): Promise<void>;
}

export interface LoadedProgram extends Program {
  /** Key and value pairs of the file. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly LoadedValue[];
  readonly outputs: readonly LoadedValue[];
}

/** An input or output of a file. */
export interface LoadedValue {
  readonly name: string;
  /** As ONNX Runtime calls it: `float32`, `uint8`, … */
  readonly type: string;
  /** An extent is a name, or below 0, where the file leaves it free. */
  readonly shape: readonly (number | string)[];
}

export interface State {
  readonly names: readonly string[];
  /** The values of some entries, or of all. Read only: the next run may use the same memory. */
  read(names?: readonly string[]): Promise<Record<string, HostTensor>>;
  /** Replaces the values of some entries. Throws TypeError for an unknown name, another shape or dtype. */
  write(values: HostTensors): void;
}

/** Whether a device can be used here. */
export interface DeviceReport {
  readonly device: Device;
  readonly available: boolean;
  /** What is missing, in one sentence. */
  readonly why?: string;
}

/** A number of threads. Throws UserError. */
export function checkedThreads(threads: number): number {
  if (Number.isInteger(threads) && threads >= 1) return threads;
  throw new UserError(`Threads must be a whole number from 1 up, not ${threads}.`);
}
