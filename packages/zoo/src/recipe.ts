import type {
  Bound,
  Clock,
  Net,
  NoiseSpec,
  Optimizer,
  Schedule,
  Scope,
  Shape,
  Tensor,
} from "@duelo/core";
import type { OptionTable, OptionValues, OptionValue } from "./options.ts";

/**
 * What one named input of a recipe is made from. `stream` names the data set it comes from; fields
 * of one stream come from the same record (pairs), fields of two streams do not (unpaired domains).
 */
export type FieldSpec = ImageField | VectorField | LabelField;
interface Streamed {
  readonly stream?: string;
}
export interface ImageField extends Streamed {
  readonly domain: "image";
  /** What pixel values 0 and 255 become. */
  readonly range: readonly [low: number, high: number];
  /** Height and width when the user names none. */
  readonly size: readonly [height: number, width: number];
  /** Channels when the user names none; left out: the data's own. */
  readonly channels?: 1 | 3 | 4;
  /** Mirror images are added unless the user says otherwise. */
  readonly flip?: boolean;
  /** The share of a side by which images are decoded larger, to be cut at random places. */
  readonly jitter?: number;
  /** Says why the nets cannot take images of this shape [C, H, W], or nothing. */
  readonly refuse?: (
    shape: Shape,
    options: Readonly<Record<string, OptionValue>>,
  ) => string | undefined;
}
export interface VectorField extends Streamed {
  readonly domain: "vector";
}
export interface LabelField extends Streamed {
  readonly domain: "label";
  /** Data without labels is taken too; then `nClasses` is 0 and the field must not be used. */
  readonly optional?: boolean;
}
export const image = (o: Omit<ImageField, "domain">): ImageField => ({ domain: "image", ...o });
export const vector = (o: Omit<VectorField, "domain"> = {}): VectorField => ({
  domain: "vector",
  ...o,
});
export const label = (o: Omit<LabelField, "domain"> = {}): LabelField => ({
  domain: "label",
  ...o,
});
export type DataTable = Readonly<Record<string, FieldSpec>>;

/** Everything decided before tracing: options by name, the batch, and the data's shapes. */
export type Context<
  O extends OptionTable = OptionTable,
  D extends DataTable = DataTable,
> = OptionValues<O> & {
  /** Records in a batch. */
  readonly batch: number;
  /** Shape of one record of each field. */
  readonly shape: { readonly [K in keyof D]: Shape };
  /** Number of classes; 0 when the data has no labels. */
  readonly nClasses: number;
};

/** The same context for another batch, as sampling and exporting need. */
export const withBatch = (c: Context, batch: number): Context => ({ ...c, batch }) as Context;

/**
 * What a phase gives back: a scalar that all its nets minimise, or one for each of them (then all
 * move at once, from the same forward pass); and scalars to write down.
 */
export interface PhaseResult {
  readonly loss: Tensor | Readonly<Record<string, Tensor>>;
  readonly log?: Readonly<Record<string, Tensor>>;
}

/**
 * Looks into the future of one net: `net` makes `steps` updates by its own optimiser down `loss`, on
 * the draws of the phase, and `after` is traced with the weights that it has by then. Gradients flow
 * through the updates. Afterwards the net is as it was: nothing of this is kept.
 */
export type LookAhead<Net extends string = string> = <R>(o: {
  readonly net: Net;
  readonly steps: number;
  readonly loss: () => Tensor;
  readonly after: () => R;
}) => R;

/** One update of some nets. */
export interface Phase<Nets = Record<string, never>, Inputs = Record<string, never>> {
  /** What its loss is written down as, `loss/NAME`; the nets that it trains unless said otherwise. */
  readonly name?: string;
  /** The nets that this phase trains; no other net moves, nor do its buffers. */
  readonly update: readonly (keyof Nets & string)[];
  /**
   * "fresh": its own batch and noise (the default). "same": those of the phase before it, in the
   * same graph, after that phase's update.
   */
  readonly draw?: "fresh" | "same";
  /** How often it runs in one step; 1 unless said otherwise. */
  readonly times?: number | ((clock: Clock) => number);
  loss(
    nets: Nets,
    inputs: Inputs,
    state: Scope,
    lookAhead: LookAhead<keyof Nets & string>,
  ): PhaseResult;
}

/** A choice of options that is good for something, such as `paper` or `small`. */
export interface Preset<Values = Readonly<Record<string, OptionValue>>> {
  readonly about: string;
  readonly options?: Partial<Values>;
  readonly size?: readonly [height: number, width: number];
  readonly steps: number;
}

/** A stage of training with options of its own, such as a resolution of a growing network. */
export interface Stage<Values = Readonly<Record<string, OptionValue>>> {
  readonly name: string;
  /** Images after which the next stage begins. */
  readonly untilImages: number;
  readonly options: Partial<Values>;
  /** Begins with empty optimiser slots. */
  readonly resetSlots?: boolean;
}

/**
 * Something that the trained nets compute: an encoder, features of a classifier, one direction of a
 * translation. It is fed with those of its inputs that its result needs.
 */
export interface NetFunction<Nets = BoundNets, Inputs = InputTensors> {
  /** What it gives, in one line. */
  readonly about: string;
  /** One result goes by the function's name, several by names of their own. */
  call(nets: Nets, inputs: Inputs): Tensor | Readonly<Record<string, Tensor>>;
}

type Nets<N> = { readonly [K in keyof N]: Bound<N[K]> };
type Inputs<D, Z, S, T = Record<never, never>> = {
  readonly [K in keyof D | keyof Z | keyof S | keyof T]: Tensor;
};
type AnyNets = Readonly<Record<string, (s: Scope, ...inputs: never) => unknown>>;
type Noise = Readonly<Record<string, NoiseSpec>>;
type Scalars = Readonly<Record<string, Schedule>>;
type Takes = Readonly<Record<string, Shape>>;

/** A system as its file states it; see `recipe`. */
export interface Definition<
  O extends OptionTable,
  D extends DataTable,
  N extends AnyNets,
  Z extends Noise,
  S extends Scalars,
  T extends Takes,
> {
  readonly name: string;
  /** Its idea in one line. */
  readonly about: string;
  readonly paper: string;
  /** What was read: the authors' code, other code, sections of the paper. */
  readonly sources: readonly string[];
  /** Where this file differs from the sources, and why. */
  readonly differences: readonly string[];
  readonly data: D;
  readonly options: O;
  readonly presets: Readonly<Record<string, Preset<OptionValues<O>>>>;
  readonly nets: (c: Context<O, D>) => N;
  /** Nets that no phase trains and that come with Duelo: for each, the name of its feature network. */
  readonly frozen?: (c: Context<O, D>) => { readonly [K in keyof N]?: string | undefined };
  /** Of every net that a phase trains. */
  readonly optimizer: (c: Context<O, D>) => { readonly [K in keyof N]?: Optimizer };
  /** Exponential moving averages of weights: w <- decay w + (1 - decay) new. */
  readonly ema?: (c: Context<O, D>) => { readonly [K in keyof N]?: Schedule | undefined };
  /**
   * Before samples are made, the running statistics of norms are taken anew over so many batches of
   * noise, with the averaged weights (Brock et al. 2018, Section 3.1: standing statistics).
   */
  readonly standing?: number;
  readonly noise: (c: Context<O, D>) => Z;
  /** Scheduled numbers that the phases see as rank-0 tensors. */
  readonly scalars?: (c: Context<O, D>) => S;
  readonly stages?: (c: Context<O, D>) => readonly Stage<OptionValues<O>>[];
  readonly phases: (
    c: Context<O, D>,
  ) => readonly Phase<Nets<NoInfer<N>>, Inputs<NoInfer<D>, NoInfer<Z>, NoInfer<S>>>[];
  /**
   * What the trained system makes from noise, labels or data, in the data's range; left out where it
   * makes nothing. It is a function called `sample` whose result is called `samples`.
   */
  readonly sample?: (nets: Nets<NoInfer<N>>, inputs: Inputs<D, Z, S>) => Tensor;
  /** Inputs of functions that are neither data nor noise, such as w of a mapping; float32, batch first. */
  readonly takes?: (c: Context<O, D>) => T;
  /** What else can be asked of the trained nets, by name. */
  readonly functions?: (
    c: Context<O, D>,
  ) => Readonly<
    Record<
      string,
      NetFunction<Nets<NoInfer<N>>, Inputs<NoInfer<D>, NoInfer<Z>, NoInfer<S>, NoInfer<T>>>
    >
  >;
}

/** A recipe with its own types forgotten: what loops, commands and pages work with. */
export type Recipe = Omit<
  Definition<OptionTable, DataTable, AnyNets, Noise, Scalars, Takes>,
  | "nets"
  | "frozen"
  | "phases"
  | "sample"
  | "functions"
  | "takes"
  | "optimizer"
  | "ema"
  | "noise"
  | "scalars"
  | "stages"
  | "presets"
> & {
  readonly presets: Readonly<Record<string, Preset>>;
  nets(c: Context): Readonly<Record<string, Net<readonly unknown[], unknown>>>;
  frozen(c: Context): Readonly<Record<string, string | undefined>>;
  optimizer(c: Context): Readonly<Record<string, Optimizer>>;
  ema(c: Context): Readonly<Record<string, Schedule | undefined>>;
  noise(c: Context): Noise;
  scalars(c: Context): Scalars;
  stages(c: Context): readonly Stage[];
  phases(c: Context): readonly Phase<BoundNets, InputTensors>[];
  takes(c: Context): Takes;
  /** All of them, `sample` among them where the recipe has it. */
  functions(c: Context): Readonly<Record<string, NetFunction>>;
};
export type BoundNets = Readonly<Record<string, (...inputs: readonly unknown[]) => unknown>>;
export type InputTensors = Readonly<Record<string, Tensor>>;

/** Declares a system. One file a system, read top to bottom. */
export function recipe<
  const O extends OptionTable,
  const D extends DataTable,
  N extends AnyNets,
  Z extends Noise,
  S extends Scalars = Record<never, never>,
  T extends Takes = Record<never, never>,
>(definition: Definition<O, D, N, Z, S, T>): Recipe {
  const none = () => ({});
  const { sample, functions = none, ...rest } = definition;
  const making = sample && { sample: { about: "what the trained system makes", call: sample } };
  const whole = {
    ...{ frozen: none, ema: none, scalars: none, takes: none, stages: () => [] },
    ...rest,
    functions: (c: Context<O, D>) => ({ ...making, ...functions(c) }),
  };
  return whole as unknown as Recipe;
}
