import { at, type Tensor } from "../ir.ts";
import { Scope, type Net, type Variables } from "./scope.ts";

/** A net bound to its variables: called with tensors alone. */
export type Bound<N> = N extends (s: Scope, ...inputs: infer I) => infer R
  ? (...inputs: I) => R
  : never;

interface Call {
  readonly inputs: readonly unknown[];
  readonly version: number;
  readonly result: unknown;
  readonly updates: ReadonlyMap<string, Tensor>;
  /** Its updates have been kept: an evaluation counts once, however often it is called. */
  kept: boolean;
}

/**
 * Binds nets to `variables` for one graph. Two calls of a net with the same inputs and the same
 * weights are one evaluation (so a fake that trains D serves G too, dropout mask and all). Buffers
 * set in a call are kept only while `training` names the net.
 */
export class Binding {
  readonly variables: Variables;
  readonly #how: { readonly training: boolean; readonly momentum?: Tensor };
  readonly #calls = new Map<string, Call[]>();
  readonly #versions = new Map<string, number>();
  #nChanges = 0;
  #kept: ReadonlySet<string> = new Set();

  /** `momentum`: see `Scope`. */
  constructor({
    variables,
    ...how
  }: {
    variables: Variables;
    training: boolean;
    momentum?: Tensor;
  }) {
    this.variables = variables;
    this.#how = how;
  }

  /** From here on, buffers of these nets are kept. */
  keep(nets: readonly string[]): void {
    this.#kept = new Set(nets);
  }

  /** Traces `then`, in which `net` may change, keeps no buffer of it, and takes it back as it was. */
  aside<R>(net: string, then: () => R): R {
    const [kept, version] = [this.#kept, this.#versions.get(net) ?? 0];
    this.#kept = new Set([...kept].filter((name) => name !== net));
    const result = then();
    this.#kept = kept;
    this.#versions.set(net, version);
    return result;
  }

  /** Says that the weights of a net have changed. */
  changed(net: string): void {
    this.#versions.set(net, ++this.#nChanges);
  }

  /** The net as a function of tensors. */
  bind<I extends readonly unknown[], R>(name: string, net: Net<I, R>): (...inputs: I) => R {
    return (...inputs) => {
      const version = this.#versions.get(name) ?? 0;
      const calls = this.#calls.get(name) ?? [];
      this.#calls.set(name, calls);
      const same = calls.find(
        (c) =>
          c.version === version &&
          c.inputs.length === inputs.length &&
          c.inputs.every((x, i) => x === inputs[i]),
      );
      const call = same ?? this.#evaluate(name, net, inputs, version);
      if (same === undefined) calls.push(call);
      if (this.#kept.has(name) && !call.kept) {
        call.kept = true;
        this.#keepUpdates(call.updates);
      }
      return call.result as R;
    };
  }

  #evaluate<I extends readonly unknown[], R>(
    name: string,
    net: Net<I, R>,
    inputs: I,
    version: number,
  ): Call {
    const updates = new Map<string, Tensor>();
    const scope = new Scope({ variables: this.variables, path: name, ...this.#how, updates });
    const result = at(name, () => net(scope, ...inputs));
    return { inputs, version, result, updates, kept: false };
  }

  #keepUpdates(updates: ReadonlyMap<string, Tensor>): void {
    for (const [name, value] of updates) this.variables.rebind(name, value);
  }
}
