import { maxPool, nn, relu, type Layer, type Scope, type Tensor } from "@duelo/core";

const layer = (out: number): Layer =>
  nn.chain(
    nn.conv({ out, kernel: 3, pad: 1, bias: false, init: nn.init.heNormal() }),
    nn.batchNorm(),
  );

/**
 * The convolutions of `classifier`: pairs of 3x3 kernels between halvings (as in arXiv:1409.1556, Table
 * 1), with batch norm; never more than four times `width` channels.
 * @returns the map after each stage, from fine to coarse, and the last one before its rectifier
 */
export function stagesOf(
  s: Scope,
  x: Tensor,
  { width, halvings }: { readonly width: number; readonly halvings: number },
): { readonly stages: readonly Tensor[]; readonly unrectified: Tensor } {
  let unrectified = s.child("stage0", (l) => layer(width)(l, x));
  const stages = [relu(unrectified)];
  for (let k = 1; k <= Math.max(halvings, 2); k++) {
    const out = width * 2 ** Math.min(k, 2);
    unrectified = s.child(`stage${k}`, (l) => {
      const before = stages[k - 1] ?? x;
      const small = k <= halvings ? maxPool(before, { kernel: 2 }) : before;
      const first = l.child("0", (c) => relu(layer(out)(c, small)));
      return l.child("1", (c) => layer(out)(c, first));
    });
    stages.push(relu(unrectified));
  }
  return { stages, unrectified };
}
