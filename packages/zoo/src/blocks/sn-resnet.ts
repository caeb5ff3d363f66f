import {
  avgPool,
  nn,
  relu,
  sizeOf,
  sum,
  upsampleNearest,
  type Layer,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { pyramid } from "./pyramid.ts";

// The residual nets of SNGAN and of the projection D for small images (Miyato et al. 2018, Table 4;
// Miyato, Koyama 2018, Appendix A): the two systems differ in G's norms and in D's last step.

const biasInit = nn.init.zeros;
const wide = { kernel: 3, pad: 1, init: nn.init.xavierUniform({ gain: Math.SQRT2 }), biasInit };
const point = { kernel: 1, init: nn.init.xavierUniform(), biasInit };
const normalised = nn.spectralNorm();
const double: Layer = (_, x) => upsampleNearest(x, { scale: 2 });
const halve: Layer = (_, x) => avgPool(x, { kernel: 2 });

/** [N, zDim] to images in [-1, 1]. `norm` makes each of its batch norms. */
export function snResnetG(o: { shape: Shape; width: number; norm: () => Layer }): Layer {
  const { levels, base } = pyramid(o.shape);
  const first = [o.width, ...base];
  const up = nn.residual({
    body: nn.chain(
      o.norm(),
      nn.relu,
      double,
      nn.conv({ out: o.width, ...wide }),
      o.norm(),
      nn.relu,
      nn.conv({ out: o.width, ...wide }),
    ),
    shortcut: nn.chain(double, nn.conv({ out: o.width, ...point })),
  });
  return nn.chain(
    nn.linear({ out: sizeOf(first), init: nn.init.xavierUniform(), biasInit }),
    nn.reshape(first),
    ...Array.from({ length: levels }, () => up),
    o.norm(),
    nn.relu,
    nn.conv({ out: o.shape[0] ?? 3, ...wide, init: nn.init.xavierUniform() }),
    nn.tanh,
  );
}

/** Images to features [N, width], summed over places: blocks that halve down to 8x8 or less, and two that do not. */
export function snResnetFeatures(o: { shape: Shape; width: number }): Layer {
  const conv3 = nn.conv({ out: o.width, ...wide, reparam: normalised });
  const conv1 = nn.conv({ out: o.width, ...point, reparam: normalised });
  const first = nn.residual({
    body: nn.chain(conv3, nn.relu, conv3, halve),
    shortcut: nn.chain(halve, conv1),
  });
  const body = [nn.relu, conv3, nn.relu, conv3];
  const down = nn.residual({ body: nn.chain(...body, halve), shortcut: nn.chain(conv1, halve) });
  const same = nn.residual({ body: nn.chain(...body) });
  const nDown = Math.max(pyramid(o.shape, { until: 8 }).levels - 1, 0);
  const pooled: Layer = (_, x) => sum(relu(x), { axes: [2, 3] }); // summed, not averaged
  return nn.chain(first, ...Array.from({ length: nDown }, () => down), same, same, pooled);
}

/** The last step without labels: a score [N, 1] of features. */
export const snLinear: Layer = nn.linear({
  out: 1,
  init: nn.init.xavierUniform(),
  biasInit,
  reparam: normalised,
});

/** The rows of D's table of classes e_y, [N, width]. */
export const snEmbedding = (o: { count: number; out: number }): ((y: Tensor) => Layer) => {
  const table = nn.embedding({ ...o, init: nn.init.xavierUniform(), reparam: normalised });
  return (y) => (s) => table(s, y);
};
