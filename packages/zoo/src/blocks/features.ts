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

/**
 * The last map of a classifier before and after its rectifier, of images [N, C, H, W] in [-1, 1]; a net
 * that stays as it is (`frozen` of a recipe names its weights). "none" is of no use and never called.
 */
export function featureNet(
  name: FeatureName,
): Net<readonly [x: Tensor], { readonly raw: Tensor; readonly map: Tensor }> {
  if (name === "none") return (_, x) => ({ raw: x, map: x });
  const { channels, ...sizes } = classifiers[name];
  return nn.atTest((s, x: Tensor) => {
    const { stages, unrectified } = stagesOf(s, inChannels(x, channels), sizes);
    return { raw: unrectified, map: stages.at(-1) ?? unrectified };
  });
}

/** Grey for each colour, or the mean of the colours. */
function inChannels(x: Tensor, channels: number): Tensor {
  if (x.shape[1] === channels) return x;
  const grey = mean(x, { axes: [1], keep: true });
  return channels === 1 ? grey : concat([grey, grey, grey], 1);
}
