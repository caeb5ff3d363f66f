import {
  at,
  graphError,
  sameShape,
  showShape,
  type DType,
  type Shape,
  type Tensor,
} from "../ir.ts";
import { stopGradient } from "../ops/control.ts";
import { input } from "../ops/leaf.ts";
import type { Initializer } from "./init.ts";

/** A value that lives between steps: trained (`param`) or kept (`buffer`, such as a running mean). */
export interface VariableSpec {
  readonly kind: "param" | "buffer";
  readonly shape: Shape;
  readonly init: Initializer;
}

/**
 * Random numbers that a step is fed with. `label` draws classes from the data's own frequencies;
 * `ints` draws from 0 up to, not including, `high`.
 */
export type NoiseSpec =
  | { readonly kind: "normal"; readonly shape: Shape }
  | { readonly kind: "uniform"; readonly shape: Shape; readonly low: number; readonly high: number }
  | { readonly kind: "ints"; readonly shape: Shape; readonly high: number }
  | { readonly kind: "label"; readonly shape: Shape };

export const noiseType = (spec: NoiseSpec): { dtype: DType; shape: Shape } => ({
  dtype: spec.kind === "normal" || spec.kind === "uniform" ? "float32" : "int32",
  shape: spec.shape,
});

/**
 * The variables of a model while it is traced. They are found by tracing: the first time that a
 * layer asks for one it becomes a graph input of that name; an update rebinds the name, so that
 * what is traced later sees the new value.
 */
export class Variables {
  readonly specs = new Map<string, VariableSpec>();
  readonly noise = new Map<string, NoiseSpec>();
  readonly inputs = new Map<string, Tensor>();
  readonly #bound = new Map<string, Tensor>();

  /** The current value of a variable; declares it when it is new. */
  get(name: string, spec: VariableSpec): Tensor {
    const known = this.specs.get(name);
    if (known !== undefined && !sameShape(known.shape, spec.shape)) {
      throw graphError(
        "variable",
        `"${name}" has shape ${showShape(known.shape)} and is now asked for as ${showShape(spec.shape)}`,
        "Give the two layers different names.",
      );
    }
    if (known === undefined) {
      this.specs.set(name, spec);
      this.#declare(name, { dtype: "float32", shape: spec.shape });
    }
    return this.value(name);
  }

  /** The current value of a declared variable. */
  value(name: string): Tensor {
    const tensor = this.#bound.get(name);
    if (tensor === undefined) throw new TypeError(`no variable "${name}"`);
    return tensor;
  }

  /**
   * Gives a declared variable a new value of the same shape. What is traced later sees it as it would
   * in the next step: a value, with no gradient into how it came about.
   */
  rebind(name: string, value: Tensor): void {
    const spec = this.specs.get(name);
    if (spec === undefined) throw new TypeError(`no variable "${name}"`);
    if (!sameShape(spec.shape, value.shape) || value.dtype !== "float32") {
      throw graphError(
        "update",
        `"${name}" has shape ${showShape(spec.shape)}, its new value ${showShape(value.shape)}`,
      );
    }
    this.#bound.set(name, stopGradient(value));
  }

  /**
   * Gives declared variables values through which gradients flow, for the time of `then`: what is
   * traced there sees them, and afterwards all are as they were.
   */
  meanwhile<R>(values: ReadonlyMap<string, Tensor>, then: () => R): R {
    const before = [...values.keys()].map((name) => [name, this.value(name)] as const);
    for (const [name, value] of values) this.#bound.set(name, value);
    const result = then();
    for (const [name, value] of before) this.#bound.set(name, value);
    return result;
  }

  /** A fresh random input. */
  draw(name: string, spec: NoiseSpec): Tensor {
    let unique = name;
    for (let k = 1; this.inputs.has(unique); k++) unique = `${name}.${k}`;
    this.noise.set(unique, spec);
    return this.#declare(unique, noiseType(spec));
  }

  #declare(name: string, type: { dtype: DType; shape: Shape }): Tensor {
    const tensor = input(name, type);
    this.inputs.set(name, tensor);
    this.#bound.set(name, tensor);
    return tensor;
  }
}

/** What a layer sees: its place in the model, its variables, and whether it is being trained. */
export class Scope {
  readonly path: string;
  readonly training: boolean;
  /** The weight of a batch in running statistics, rank 0, in place of each layer's own. */
  readonly momentum?: Tensor;
  readonly #variables: Variables;
  readonly #updates: Map<string, Tensor>;

  constructor(parts: {
    variables: Variables;
    path: string;
    training: boolean;
    momentum?: Tensor;
    updates: Map<string, Tensor>;
  }) {
    this.#variables = parts.variables;
    this.path = parts.path;
    this.training = parts.training;
    if (parts.momentum !== undefined) this.momentum = parts.momentum;
    this.#updates = parts.updates;
  }

  /** Traces `layer` one level down, under `name`. */
  child<R>(name: string, layer: (s: Scope) => R): R {
    const scope = this.#like({ path: `${this.path}.${name}` });
    return at(name, () => layer(scope));
  }

  /** The same place, when not training. */
  atTest(): Scope {
    return this.#like({ training: false });
  }

  #like(change: { path?: string; training?: boolean }): Scope {
    const { path, training, momentum } = this;
    return new Scope({
      ...{ variables: this.#variables, updates: this.#updates, path, training },
      ...(momentum === undefined ? {} : { momentum }),
      ...change,
    });
  }

  /** A trained variable. */
  param(name: string, spec: { shape: Shape; init: Initializer }): Tensor {
    return this.#variables.get(`${this.path}.${name}`, { kind: "param", ...spec });
  }

  /** A kept variable; reads the value set last, in this call or an earlier one. */
  buffer(name: string, spec: { shape: Shape; init: Initializer }): Tensor {
    const full = `${this.path}.${name}`;
    const value = this.#variables.get(full, { kind: "buffer", ...spec });
    return this.#updates.get(full) ?? value;
  }

  /** Sets a buffer. The new value is kept only by a phase that trains this net. */
  setBuffer(name: string, value: Tensor): void {
    this.#updates.set(`${this.path}.${name}`, value);
  }

  /** Fresh random numbers for this call. */
  noise(spec: NoiseSpec): Tensor {
    return this.#variables.draw(`noise/${this.path}`, spec);
  }
}

/** A network as a recipe writes it: a function of its scope and its inputs. */
export type Net<I extends readonly unknown[] = readonly Tensor[], R = Tensor> = (
  s: Scope,
  ...inputs: I
) => R;

/** A network with one input and one output. */
export type Layer = Net<readonly [x: Tensor], Tensor>;
