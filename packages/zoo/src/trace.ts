import {
  add,
  at,
  Binding,
  cast,
  clipByNorm,
  grad,
  GraphError,
  input,
  mul,
  noiseType,
  Scope,
  sqrt,
  square,
  sub,
  suggestion,
  sum,
  Tensor,
  topological,
  UserError,
  Variables,
  type Graph,
  type NoiseSpec,
  type Optimizer,
  type Schedule,
  type Shape,
  type VariableSpec,
} from "@duelo/core";
import { featureNet, type FeatureName } from "./blocks/features.ts";
import type {
  BoundNets,
  Context,
  FieldSpec,
  InputTensors,
  LookAhead,
  NetFunction,
  Phase,
  PhaseResult,
  Recipe,
} from "./recipe.ts";

/** A value kept between steps, and how it begins. */
export interface StateSpec {
  readonly shape: Shape;
  /** `zeros` for optimiser slots, `copy` of another entry for an average of weights. */
  readonly init: VariableSpec["init"] | "zeros" | { readonly copy: string };
  readonly kind: "param" | "buffer" | "slot" | "ema";
}

/** One compiled unit: phases that share a batch and noise, with their updates. */
export interface StepGraph {
  readonly graph: Graph;
  /** Graph inputs that are state, with the output that replaces each. */
  readonly state: Readonly<Record<string, string>>;
  readonly stateSpecs: ReadonlyMap<string, StateSpec>;
  /** Data fields it is fed with, by input name. */
  readonly fields: readonly string[];
  readonly noise: ReadonlyMap<string, NoiseSpec>;
  /** Scheduled numbers it is fed with. */
  readonly scalars: ReadonlyMap<string, Schedule>;
  /** Scalar outputs, such as `loss/D`. */
  readonly logs: readonly string[];
  /** Nets that it moves. */
  readonly updates: readonly string[];
  readonly times: Phase["times"];
}

/** A function of a recipe, such as its sampling, with the averaged weights. */
export interface FunctionGraph {
  readonly graph: Graph;
  /** For each weight input, the state entry that feeds it. */
  readonly state: ReadonlyMap<string, string>;
  readonly stateSpecs: ReadonlyMap<string, StateSpec>;
  /** Data fields it is fed with, as training is: images as uint8 pixels. */
  readonly fields: readonly string[];
  readonly noise: ReadonlyMap<string, NoiseSpec>;
  /** Shapes of further inputs, batch first. */
  readonly takes: ReadonlyMap<string, Shape>;
}

const STEP = "slot.step";
const slotName = (slot: string, param: string): string => `slot.${slot}/${param}`;
const emaName = (param: string): string => `ema/${param}`;
const nextName = (state: string): string => `next:${state}`;
const netOf = (variable: string): string => variable.slice(0, variable.indexOf("."));

/** Everything of one graph under construction. */
class Tracer {
  readonly variables = new Variables();
  readonly binding: Binding;
  readonly nets: BoundNets;
  readonly stateSpecs = new Map<string, StateSpec>();
  readonly #recipe: Recipe;
  readonly context: Context;
  readonly #leaves = new Map<string, Tensor>();
  readonly scalars = new Map<string, Schedule>();

  constructor(recipe: Recipe, context: Context, how: { training: boolean; momentum?: Tensor }) {
    this.#recipe = recipe;
    this.context = context;
    this.binding = new Binding({ variables: this.variables, ...how });
    const nets = recipe.nets(context);
    this.nets = Object.fromEntries(
      Object.entries(nets).map(([name, net]) => [name, this.binding.bind(name, net)]),
    );
  }

  leaf(name: string, make: () => Tensor): Tensor {
    const known = this.#leaves.get(name);
    if (known !== undefined) return known;
    const made = make();
    this.#leaves.set(name, made);
    return made;
  }

  /** A scheduled number as a rank-0 input. */
  scalar(name: string, schedule: Schedule): Tensor {
    this.scalars.set(name, schedule);
    return this.leaf(name, () => input(name, { shape: [] }));
  }

  /** A state entry that is not a net's variable. */
  kept(name: string, spec: StateSpec): Tensor {
    this.stateSpecs.set(name, spec);
    return this.leaf(name, () => input(name, { shape: spec.shape }));
  }

  /** The named tensors that a phase sees: data, noise, scheduled numbers. */
  inputs(): InputTensors {
    const { batch, shape } = this.context;
    const fields = Object.entries(this.#recipe.data).map(([name, field]) => [
      name,
      dataTensor(
        field,
        this.leaf(name, () => fieldInput(name, field, batch, shape[name])),
      ),
    ]);
    const noise = Object.entries(this.#recipe.noise(this.context)).map(([name, spec]) => [
      name,
      this.leaf(name, () => input(name, noiseType(spec))),
    ]);
    const scalars = Object.entries(this.#recipe.scalars(this.context)).map(([name, schedule]) => [
      name,
      this.scalar(name, schedule),
    ]);
    return Object.fromEntries([...fields, ...noise, ...scalars]);
  }

  /** The leaves that `outputs` need, in a fixed order. */
  reached(outputs: Readonly<Record<string, Tensor>>): Tensor[] {
    return topological(Object.values(outputs)).filter((t) => t.op.name === "Input");
  }
}

function fieldInput(
  name: string,
  field: FieldSpec,
  batch: number,
  shape: Shape | undefined,
): Tensor {
  if (field.domain === "label") return input(name, { shape: [batch], dtype: "int32" });
  if (shape === undefined) throw new TypeError(`the context has no shape for field "${name}"`);
  const dtype = field.domain === "image" ? "uint8" : "float32";
  return input(name, { shape: [batch, ...shape], dtype });
}

/** Pixels 0 to 255 become the field's range. */
function dataTensor(field: FieldSpec, raw: Tensor): Tensor {
  if (field.domain !== "image") return raw;
  const [low, high] = field.range;
  return add(mul(cast(raw, "float32"), (high - low) / 255), low);
}

export interface TraceOptions {
  /** Writes down `grad/NET` as well: the Euclidean norm of the gradient of each net that is trained. */
  readonly norms?: boolean;
}

/**
 * Traces one step of a recipe: a graph for each run of phases that share batch and noise, each with
 * gradients, optimiser updates and averages inside.
 */
export function traceStep(
  recipe: Recipe,
  context: Context,
  options: TraceOptions = {},
): StepGraph[] {
  const groups: Phase<BoundNets, InputTensors>[][] = [];
  for (const phase of recipe.phases(context)) {
    const last = groups.at(-1);
    if (phase.draw !== "same" || last === undefined) groups.push([phase]);
    else if (phase.times === undefined) last.push(phase);
    else {
      throw new GraphError({
        op: "phases",
        problem: `the phase that trains ${phase.update.join(" and ")} has both draw: "same" and times`,
        hint: "It runs as often as the phase before it; leave times out, or draw afresh.",
      });
    }
  }
  return groups.map((phases) => traceGroup(recipe, context, phases, options));
}

function traceGroup(
  recipe: Recipe,
  context: Context,
  phases: readonly Phase<BoundNets, InputTensors>[],
  { norms = false }: TraceOptions,
): StepGraph {
  const tracer = new Tracer(recipe, context, { training: true });
  const inputs = tracer.inputs();
  const optimizers = recipe.optimizer(context);
  const outputs: Record<string, Tensor> = {};
  const logs: string[] = [];
  for (const phase of phases) {
    tracer.binding.keep([...phase.update, "state"]);
    const own = new Map<string, Tensor>();
    const scope = new Scope({
      variables: tracer.variables,
      path: "state",
      training: true,
      updates: own,
    });
    const ahead = lookAhead({ tracer, optimizers, outputs });
    const { loss, log = {} } = phase.loss(tracer.nets, inputs, scope, ahead);
    const name = phase.name ?? phase.update.join("+");
    const losses = loss instanceof Tensor ? { [name]: loss } : loss;
    const named = Object.entries(losses).map(([net, l]) => [`loss/${net}`, l] as const);
    for (const [name, value] of [...named, ...Object.entries(log)]) {
      if (value.size !== 1) {
        const problem = `"${name}" has shape [${value.shape.join(", ")}], and only one number can be written down`;
        throw new GraphError({ op: "log", problem, hint: "Take its mean or its sum." });
      }
      outputs[`log:${name}`] = value;
      logs.push(name);
    }
    own.forEach((value, name) => tracer.variables.rebind(name, value));
    const gradients = applyUpdates({ tracer, phase, loss, optimizers, outputs });
    if (norms) logs.push(...traceNorms(phase.update, gradients, outputs));
    traceAverages(tracer, recipe.ema(context), phase.update, outputs);
  }
  return finish(recipe, tracer, outputs, { logs, phases });
}

/** The norms of the gradients as scalars to write down; gives their names. */
function traceNorms(
  nets: readonly string[],
  gradients: readonly Gradient[],
  outputs: Record<string, Tensor>,
): string[] {
  return nets.flatMap((net) => {
    const mine = gradients.filter((g) => netOf(g.name) === net).map(({ g }) => sum(square(g)));
    const [first, ...rest] = mine;
    const name = `grad/${net}`;
    if (first === undefined || outputs[`log:${name}`] !== undefined) return [];
    outputs[`log:${name}`] = sqrt(rest.reduce(add, first));
    return [name];
  });
}

/**
 * Gradients of the loss by the weights of each net that the phase trains, all taken before any net
 * moves, and then the updates. Gives the gradients.
 */
function applyUpdates(o: {
  tracer: Tracer;
  phase: Phase<BoundNets, InputTensors>;
  loss: PhaseResult["loss"];
  optimizers: Readonly<Record<string, Optimizer>>;
  outputs: Record<string, Tensor>;
}): readonly Gradient[] {
  const { variables, binding } = o.tracer;
  const gradients = phaseGradients(variables, o.phase.update, o.loss);
  for (const net of o.phase.update) {
    const optimizer = optimizerOf(o.optimizers, net);
    const mine = gradients.filter((g) => netOf(g.name) === net);
    const moved = at(`update.${net}`, () => updateNet(o.tracer, net, optimizer, mine, o.outputs));
    for (const [name, value] of moved) variables.rebind(name, value);
    binding.changed(net);
  }
  return gradients;
}

function optimizerOf(optimizers: Readonly<Record<string, Optimizer>>, net: string): Optimizer {
  const optimizer = optimizers[net];
  if (optimizer !== undefined) return optimizer;
  throw new GraphError({ op: "phases", problem: `net "${net}" is trained and has no optimiser` });
}

/** Unrolls updates of a net: see `LookAhead`. Slots and counts go on from `outputs`, which stay. */
function lookAhead(o: {
  tracer: Tracer;
  optimizers: Readonly<Record<string, Optimizer>>;
  outputs: Readonly<Record<string, Tensor>>;
}): LookAhead {
  const { variables, binding } = o.tracer;
  return ({ net, steps, loss, after }) => {
    const optimizer = optimizerOf(o.optimizers, net);
    const outputs = { ...o.outputs };
    const from = (step: number): ReturnType<typeof after> => {
      if (step === steps) return after();
      const gradients = phaseGradients(variables, [net], loss());
      const moved = at(`ahead.${net}`, () =>
        updateNet(o.tracer, net, optimizer, gradients, outputs),
      );
      return variables.meanwhile(moved, () => {
        binding.changed(net);
        return from(step + 1);
      });
    };
    return binding.aside(net, () => from(0));
  };
}

interface Gradient {
  readonly name: string;
  readonly param: Tensor;
  readonly g: Tensor;
}

function phaseGradients(
  variables: Variables,
  nets: readonly string[],
  loss: PhaseResult["loss"],
): Gradient[] {
  const paramsOf = (chosen: readonly string[]): string[] =>
    [...variables.specs].flatMap(([name, spec]) =>
      spec.kind === "param" && chosen.includes(netOf(name)) ? [name] : [],
    );
  const gradients = (l: Tensor, names: readonly string[]): Gradient[] => {
    const params = names.map((n) => variables.value(n));
    const grads = grad(l, params);
    return names.flatMap((name, i) => {
      const [param, g] = [params[i], grads[i]];
      return param && g ? [{ name, param, g }] : [];
    });
  };
  if (loss instanceof Tensor) return gradients(loss, paramsOf(nets));
  return nets.flatMap((net) => {
    const own = loss[net];
    if (own === undefined) {
      throw new GraphError({
        op: "phases",
        problem: `net "${net}" is trained and is given no loss`,
      });
    }
    return gradients(own, paramsOf([net]));
  });
}

/** The weights of a net after one update; its slots and its count go to `outputs`. */
function updateNet(
  tracer: Tracer,
  net: string,
  optimizer: Optimizer,
  mine: readonly Gradient[],
  outputs: Record<string, Tensor>,
): Map<string, Tensor> {
  const moved = new Map<string, Tensor>();
  const lr = tracer.scalar(`lr/${net}`, optimizer.lr);
  const scalars = Object.fromEntries(
    Object.entries(optimizer.scalars ?? {}).map(([k, s]) => [k, tracer.scalar(`${k}/${net}`, s)]),
  );
  const count = `${STEP}/${net}`;
  const t = add(current(tracer, outputs, count, { kind: "slot", shape: [], init: "zeros" }), 1);
  outputs[nextName(count)] = t;
  const grads = mine.map((m) => m.g);
  const used = optimizer.clipNorm === undefined ? grads : clipByNorm(grads, optimizer.clipNorm);
  mine.forEach(({ name, param }, i) => {
    const g = used[i];
    if (g === undefined) return;
    const slots = Object.fromEntries(
      optimizer.slots.map((s) => [
        s,
        current(tracer, outputs, slotName(s, name), {
          kind: "slot",
          shape: param.shape,
          init: "zeros",
        }),
      ]),
    );
    const next = optimizer.update({ param, grad: g, slots, lr, t, scalars });
    moved.set(name, next.param);
    for (const [s, value] of Object.entries(next.slots))
      outputs[nextName(slotName(s, name))] = value;
  });
  return moved;
}

/** The newest value of a state entry within this graph. */
function current(
  tracer: Tracer,
  outputs: Readonly<Record<string, Tensor>>,
  name: string,
  spec: StateSpec,
): Tensor {
  return outputs[nextName(name)] ?? tracer.kept(name, spec);
}

function traceAverages(
  tracer: Tracer,
  averages: Readonly<Record<string, Schedule | undefined>>,
  nets: readonly string[],
  outputs: Record<string, Tensor>,
): void {
  for (const [name, spec] of tracer.variables.specs) {
    const schedule = averages[netOf(name)];
    if (spec.kind !== "param" || schedule === undefined || !nets.includes(netOf(name))) continue;
    const decay = tracer.scalar(`ema/${netOf(name)}`, schedule);
    const kept: StateSpec = { kind: "ema", shape: spec.shape, init: { copy: name } };
    const old = current(tracer, outputs, emaName(name), kept);
    const value = tracer.variables.value(name);
    outputs[nextName(emaName(name))] = add(value, mul(sub(old, value), decay));
  }
}

function finish(
  recipe: Recipe,
  tracer: Tracer,
  outputs: Record<string, Tensor>,
  { logs, phases }: { logs: readonly string[]; phases: readonly Phase<BoundNets, InputTensors>[] },
): StepGraph {
  const { variables } = tracer;
  for (const [name, spec] of variables.specs) {
    tracer.stateSpecs.set(name, spec);
    if (variables.value(name) !== variables.inputs.get(name))
      outputs[nextName(name)] = variables.value(name);
  }
  const replaced = [...tracer.stateSpecs.keys()].filter((n) => outputs[nextName(n)] !== undefined);
  const reached = tracer.reached(outputs);
  const overwritten = replaced.flatMap((n) => {
    const leaf = variables.inputs.get(n);
    return leaf === undefined || reached.includes(leaf) ? [] : [leaf];
  });
  const inputs = [...reached, ...overwritten];
  const names = inputs.map((i) => String(i.attrs["name"]));
  return {
    graph: { inputs, outputs },
    state: Object.fromEntries(replaced.map((n) => [n, nextName(n)])),
    stateSpecs: new Map([...tracer.stateSpecs].filter(([n]) => names.includes(n))),
    fields: Object.keys(recipe.data).filter((n) => names.includes(n)),
    noise: noiseOf(recipe, tracer, names),
    scalars: new Map([...tracer.scalars].filter(([n]) => names.includes(n))),
    logs,
    updates: [...new Set(phases.flatMap((p) => p.update))],
    times: phases[0]?.times,
  };
}

function noiseOf(recipe: Recipe, tracer: Tracer, names: readonly string[]): Map<string, NoiseSpec> {
  const all = [...Object.entries(recipe.noise(tracer.context)), ...tracer.variables.noise];
  return new Map(all.filter(([n]) => names.includes(n)));
}

/**
 * Traces a function of the trained nets, `sample` unless said otherwise, with running statistics and
 * averaged weights. `given` stands in place of inputs of those names, so that gradients flow into it.
 * Throws UserError when the recipe has no such function.
 */
export function traceFunction(
  recipe: Recipe,
  context: Context,
  name = "sample",
  given: InputTensors = {},
): FunctionGraph {
  const tracer = new Tracer(recipe, context, { training: false });
  const takes = Object.entries(recipe.takes(context));
  const taken = takes.map(([n, shape]) => [n, tracer.leaf(n, () => input(n, { shape }))]);
  const inputs = { ...tracer.inputs(), ...Object.fromEntries(taken), ...given };
  const result = findFunction(recipe, context, name).call(tracer.nets, inputs);
  const outputs = result instanceof Tensor ? { [outputName(name)]: result } : { ...result };
  return functionGraph(recipe, tracer, outputs);
}

/**
 * The maps after each stage of a classifier that comes with Duelo, from fine to coarse, of images
 * [N, C, H, W] in [-1, 1]. Its weights and statistics are inputs whose names begin with `F.`.
 */
export function traceFeatures(name: Exclude<FeatureName, "none">, x: Tensor): readonly Tensor[] {
  const binding = new Binding({ variables: new Variables(), training: false });
  return binding.bind("F", featureNet(name))(x).stages;
}

/**
 * Traces how the running statistics behind `sample` move in one batch of noise, with averaged weights:
 * `next` gives the output that replaces each state entry, and a rank-0 input `momentum` is the weight of
 * the batch.
 */
export function traceStatistics(
  recipe: Recipe,
  context: Context,
): FunctionGraph & { readonly next: Readonly<Record<string, string>> } {
  const momentum = input("momentum", { shape: [] });
  const tracer = new Tracer(recipe, context, { training: true, momentum });
  tracer.binding.keep(Object.keys(recipe.nets(context)));
  findFunction(recipe, context, "sample").call(tracer.nets, tracer.inputs());
  const { specs, inputs } = tracer.variables;
  const outputs: Record<string, Tensor> = {};
  for (const name of specs.keys()) {
    const value = tracer.variables.value(name);
    if (isStatistic(name) && value !== inputs.get(name)) outputs[nextName(name)] = value;
  }
  const moved = [...specs.keys()].filter((name) => outputs[nextName(name)] !== undefined);
  const next = Object.fromEntries(moved.map((name) => [name, nextName(name)]));
  return { ...functionGraph(recipe, tracer, outputs), next };
}

const isStatistic = (name: string): boolean => /\.running_(mean|var)$/.test(name);

/** What gives `outputs`, with the state entries that feed it. */
function functionGraph(
  recipe: Recipe,
  tracer: Tracer,
  outputs: Readonly<Record<string, Tensor>>,
): FunctionGraph {
  const takes = Object.entries(recipe.takes(tracer.context));
  const leaves = tracer.reached(outputs);
  const names = leaves.map((i) => String(i.attrs["name"]));
  const averages = recipe.ema(tracer.context);
  const specs = [...tracer.variables.specs].filter(([n]) => names.includes(n));
  const from = (variable: string, spec: VariableSpec): string =>
    spec.kind === "param" && averages[netOf(variable)] !== undefined ? emaName(variable) : variable;
  return {
    graph: { inputs: leaves, outputs },
    state: new Map(specs.map(([n, s]) => [n, from(n, s)])),
    stateSpecs: new Map(specs),
    fields: Object.keys(recipe.data).filter((n) => names.includes(n)),
    noise: noiseOf(recipe, tracer, names),
    takes: new Map(takes.filter(([n]) => names.includes(n))),
  };
}

const outputName = (name: string): string => (name === "sample" ? "samples" : name);

function findFunction(recipe: Recipe, context: Context, name: string): NetFunction {
  const functions = recipe.functions(context);
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(functions);
  if (names.length === 0) throw new UserError(`Recipe ${recipe.name} has no functions.`);
  const what =
    name === "sample"
      ? `Recipe ${recipe.name} makes no samples.`
      : `Recipe ${recipe.name} has no function "${name}".${suggestion(name, names)}`;
  throw new UserError(`${what} Functions: ${names.join(", ")}.`);
}
