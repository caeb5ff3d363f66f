import type { Matrix } from "../metrics/matrix.ts";
import type { Pictures } from "../metrics/pictures.ts";

/** Images as bytes, channel after channel. */
export interface FeatureRequest {
  readonly pixels: Uint8Array;
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
  /** Throws UserError for images that it cannot take. */
  extract(request: FeatureRequest): Promise<Features>;
  /** Activations after some layers, from fine to coarse, for perceptual distances; none where it has no layers. */
  activations(request: FeatureRequest): Promise<readonly Pictures[]>;
  close(): Promise<void>;
}
