import { createHash } from "node:crypto";
import type { FeatureNet } from "./feature-net.ts";

/**
 * The pixels themselves, 0 to 1, as features: no network at all. Sets are compared at their own size,
 * which must be the same.
 */
export const rawPixels: FeatureNet = {
  name: "raw pixels",
  digest: createHash("sha256").update("raw pixels / 255").digest("hex"),
  resizer: "none",
  classifies: false,
  hasLayers: false,
  extract({ pixels, shape }) {
    const [rows, c, h, w] = shape;
    const data = Float32Array.from(pixels, (v) => v / 255);
    return Promise.resolve({ features: { rows, cols: c * h * w, data } });
  },
  activations: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};
