import type { Matrix } from "../metrics/matrix.ts";
import type { Pictures } from "../metrics/pictures.ts";

/** Images, channel after channel. */
export interface FeatureRequest {
  /** Bytes; or, for `activations` alone, numbers from 0 to 255 that were not rounded. */
  readonly pixels: Uint8Array | Float32Array;
  readonly shape: readonly [n: number, channels: number, height: number, width: number];
  progress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
}

/** What a network sees in images. */
export interface Features {
  /** A row an image. */
  readonly features: Matrix;
  /** A row an image, a column a class; only of classifiers. */
  readonly probabilities?: Matrix;
}

/** A fixed network by whose eyes generated images are judged. Numbers of two networks do not compare. */
export interface FeatureNet {
  /** Stated beside every number that comes of it. */
  readonly name: string;
  /** sha256 of its file, or what stands for it where it has none. */
  readonly digest: string;
  /** How images of another size or with other channels are brought to its own, in words. */
  readonly resizer: string;
  /** Whether it is the network of published FID: only then may a result be called so. */
  readonly isClassic?: boolean;
  /** Whether it gives probabilities of classes. */
  readonly classifies: boolean;
  /** Whether it has layers to give `activations` of. */
  readonly hasLayers: boolean;
  /** Throws UserError for images that it cannot take. */
  extract(request: FeatureRequest): Promise<Features>;
  /** Activations after some layers, from fine to coarse, for perceptual distances; none where it has no layers. */
  activations(request: FeatureRequest): Promise<readonly Pictures[]>;
  close(): Promise<void>;
}
