import { concat, mean, nn, type Net, type Tensor } from "@duelo/core";
import { stagesOf } from "./stages.ts";

/**
 * Classifiers that come with Duelo and whose maps a loss can be made of, with the sizes that they were
 * trained at; `docs/guide/features.md` says how good they are.
 */
const classifiers = {
  "emoji-classifier": { width: 16, halvings: 3, channels: 3 },
  "fashion-classifier": { width: 24, halvings: 2, channels: 1 },
} as const;
export const featureNames = ["none", "emoji-classifier", "fashion-classifier"] as const;
export type FeatureName = (typeof featureNames)[number];

/** What a classifier makes of images. */
export interface Seen {
  /** Its last map before and after its rectifier. */
  readonly raw: Tensor;
  readonly map: Tensor;
  /** Its maps after each stage, from fine to coarse; the last is `map`. */
  readonly stages: readonly Tensor[];
}

/**
 * A classifier of images [N, C, H, W] in [-1, 1]; a net that stays as it is (`frozen` of a recipe names its
 * weights). It halves small images less often. "none" is of no use and never called.
 */
export function featureNet(name: FeatureName): Net<readonly [x: Tensor], Seen> {
  if (name === "none") return (_, x) => ({ raw: x, map: x, stages: [x] });
  const { channels, width, halvings } = classifiers[name];
  return nn.atTest((s, x: Tensor) => {
    const most = Math.floor(Math.log2(Math.min(...x.shape.slice(2))));
    const sizes = { width, halvings: Math.min(halvings, most) };
    const { stages, unrectified } = stagesOf(s, inChannels(x, channels), sizes);
    return { raw: unrectified, map: stages.at(-1) ?? unrectified, stages };
  });
}

/** Grey for each colour, or the mean of the colours. */
function inChannels(x: Tensor, channels: number): Tensor {
  if (x.shape[1] === channels) return x;
  const grey = mean(x, { axes: [1], keep: true });
  return channels === 1 ? grey : concat([grey, grey, grey], 1);
}
