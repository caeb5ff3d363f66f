import type { Toy } from "../data/toy.ts";
import type { Matrix, Pair } from "../metrics/matrix.ts";
import type { FunctionRequest } from "../open-function.ts";
import type { Features } from "./features.ts";
import type { Side } from "./side.ts";

/** One number of a judgement, with all that it takes to read it. */
export interface Score {
  /** As in `stats.jsonl` and in `--metrics`: `frechet`. */
  readonly metric: string;
  /** For people: `Fréchet distance`. */
  readonly title: string;
  readonly value: number;
  /** Which way is better; `neither` for a share that should be a half, and the like. */
  readonly better: "lower" | "higher" | "neither";
  /** A 95 % interval over which samples were drawn; it says nothing of other seeds of training. */
  readonly interval?: readonly [low: number, high: number];
  /** The same number for real samples against other real samples: as good as it gets. */
  readonly floor?: number;
  /** The value from as few samples as are behind the floor, where those are fewer: what to hold against it. */
  readonly likeFloor?: number;
  /** Samples behind the floor, on its smaller side. */
  readonly nFloor?: number;
  /** The same number for the pictures that the samples were made of, as given or enlarged to their size. */
  readonly given?: number;
  /** A 95 % interval of how much larger `value` is than `given`, picture by picture. */
  readonly change?: readonly [low: number, high: number];
  readonly nGenerated: number;
  readonly nReference: number;
}

/** What metrics are computed from. */
export interface Evidence {
  readonly generated: Side;
  readonly reference: Side;
  readonly heldOut?: Side | undefined;
  /** Samples and references belong together one by one; `given` is what each sample was made of. */
  readonly pairs?: { readonly given?: Side } | undefined;
  /** Features of each side, where the metric asks for them. */
  readonly features: Pair & { readonly heldOut?: Matrix | undefined };
  /** What a classifier says of each side, where the features are those of one. */
  readonly probabilities?: Pair & { readonly heldOut?: Matrix | undefined };
  /** What made the features. */
  readonly by: Pick<Features, "name" | "isClassic" | "activations">;
  /** The run that made the samples, where one did and makes them of noise. */
  readonly maker?: FunctionRequest;
  /** The mixture that points come from, where they do. */
  readonly mixture?: Toy | undefined;
  readonly seed: number;
  /** Leaves out intervals and floors: for numbers that are needed often. */
  readonly brief?: boolean;
}

/** What a metric cannot do without. */
export type Need =
  | "images"
  | "features"
  | "labels"
  | "heldOut"
  | "mixture"
  | "probabilities"
  | "layers"
  | "maker"
  | "pairs";

/** Something that can be asked for by name. */
export interface Metric {
  readonly name: string;
  /** Other names that people know it by. */
  readonly aliases?: readonly string[];
  readonly title: string;
  /** What it says, in a sentence for someone who meets it for the first time. */
  readonly about: string;
  /** Which end is better; `neither` cannot choose between two checkpoints. */
  readonly better: Score["better"];
  readonly needs: readonly Need[];
  /** The fewest samples on each side. */
  readonly leastRows: number;
  /** The fewest pixels on a side; any unless said. */
  readonly leastPixels?: number;
  /** Computed only when it is named, since it takes long. */
  readonly onRequest?: boolean;
  /** @throws UserError when the evidence is not enough */
  compute(evidence: Evidence): Promise<readonly Score[]>;
}
