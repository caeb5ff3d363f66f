import type { State } from "@duelo/runtime";
import type { StateSpec } from "@duelo/zoo";
import type { Log } from "../model.ts";

type Specs = ReadonlyMap<string, StateSpec>;

/** Copies of the weights as they are before a step. */
export type Weights = ReadonlyMap<string, Float32Array>;

const weightsIn = (specs: Specs): string[] =>
  [...specs].flatMap(([name, { kind }]) => (kind === "param" ? [name] : []));

export async function copyWeights(state: State, specs: Specs): Promise<Weights> {
  const values = await state.read(weightsIn(specs));
  return new Map(
    Object.entries(values).map(([name, { data }]) => [name, Float32Array.from(data)] as const),
  );
}

/** Updates of each net so far. */
export type Counts = ReadonlyMap<string, number>;

export async function countUpdates(state: State): Promise<Counts> {
  const names = state.names.filter((name) => name.startsWith(countedAs));
  const values = await state.read(names);
  return new Map(names.map((n) => [n.slice(countedAs.length), Number(values[n]?.data[0])]));
}
const countedAs = "slot.step/";

/**
 * `weight/NET`: the Euclidean norm of a net's weights. `update/NET`: how far the step moved them, over
 * that norm, for each update of the net in the step.
 */
export async function normsOf(o: {
  state: State;
  specs: Specs;
  before: { weights: Weights; counts: Counts };
}): Promise<Log> {
  const values = await o.state.read(weightsIn(o.specs));
  const sums = new Map<string, { weight: number; update: number }>();
  for (const [name, { data }] of Object.entries(values)) {
    const net = name.slice(0, name.indexOf("."));
    const sum = sums.get(net) ?? { weight: 0, update: 0 };
    sums.set(net, sum);
    const old = o.before.weights.get(name);
    for (let i = 0; i < data.length; i++) {
      const value = data[i] ?? 0;
      sum.weight += value * value;
      const moved = value - (old?.[i] ?? value);
      sum.update += moved * moved;
    }
  }
  const counts = await countUpdates(o.state);
  const log: Log = {};
  for (const [net, { weight, update }] of sums) {
    log[`weight/${net}`] = Math.sqrt(weight);
    const nUpdates = (counts.get(net) ?? 1) - (o.before.counts.get(net) ?? 0);
    log[`update/${net}`] = weight > 0 ? Math.sqrt(update / weight) / Math.max(nUpdates, 1) : 0;
  }
  return log;
}
