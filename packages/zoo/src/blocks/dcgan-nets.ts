import { nn, type Layer, type Shape } from "@duelo/core";
import { pyramid } from "./pyramid.ts";

/**
 * The nets of DCGAN (Radford et al. 2015, Section 3) with the 4x4 kernels of pytorch/examples, for
 * systems that put another loss, another D input or a block of their own into them. `dcgan` spells
 * the same nets out.
 */
export interface DcganNets {
  /** One image [C, H, W]; its sides follow `pyramid`. */
  readonly shape: Shape;
  readonly zDim: number;
  /** Channels of G's last and D's first layer. */
  readonly width: number;
  /** What D does to images first, such as packing or augmenting them. */
  readonly before?: Layer;
  /** What D does to its last features [N, C, h, w] before the score. */
  readonly features?: Layer;
  /** Batch norm in D; true unless said otherwise. */
  readonly normD?: boolean;
}

const init = nn.init.normal({ std: 0.02 }); // (Section 4)
const norm = (): Layer => nn.batchNorm({ gainInit: nn.init.normal({ mean: 1, std: 0.02 }) });
const none: Layer = (_, x) => x;

/** G: [N, zDim] to images in [-1, 1]. D: images to a score each, [N, 1]. */
export function dcganNets(o: DcganNets): { G: Layer; D: Layer } {
  const [channels = 3] = o.shape;
  const { levels, base } = pyramid(o.shape);
  const wide = (level: number): number => o.width * 2 ** level;
  const half = { kernel: 4, stride: 2, pad: 1, bias: false, init };
  const up = (level: number): Layer[] => [
    nn.convTranspose({ out: wide(level), ...half }),
    norm(),
    nn.relu,
  ];
  const down = (level: number): Layer[] => [
    nn.conv({ out: wide(level), ...half }),
    ...(level > 0 && o.normD !== false ? [norm()] : []),
    nn.leakyRelu({ slope: 0.2 }),
  ];
  const inner = Array.from({ length: levels - 1 }, (_, i) => levels - 2 - i);
  const G = nn.chain(
    nn.convTranspose({ out: wide(levels - 1), kernel: base, bias: false, init }),
    norm(),
    nn.relu,
    ...inner.flatMap(up),
    nn.convTranspose({ out: channels, ...half }),
    nn.tanh,
  );
  const D = nn.chain(
    ...Array.from({ length: levels }, (_, level) => level).flatMap(down),
    ...(o.features === undefined ? [] : [o.features]),
    nn.conv({ out: 1, kernel: base, bias: false, init }),
  );
  return {
    G: nn.compose(nn.reshape([o.zDim, 1, 1]), nn.scoped("main", G)),
    D: nn.compose(o.before ?? none, nn.scoped("main", D), nn.flatten),
  };
}
