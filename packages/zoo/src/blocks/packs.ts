import { reshape, UserError, type Tensor } from "@duelo/core";

/**
 * Packs of `pack` samples each, one beside the other on the channel axis (Lin et al. 2017, PacGAN).
 * x [N, C, ...] to [N / pack, pack C, ...].
 */
export function packs(x: Tensor, { pack }: { readonly pack: number }): Tensor {
  const [n = 1, channels = 1, ...rest] = x.shape;
  if (n % pack !== 0) {
    const near = [n - (n % pack), n + pack - (n % pack)].filter((b) => b > 0);
    throw new UserError(
      `A batch of ${n} does not divide into packs of ${pack}; take ${near.join(" or ")}, for example --set batch=${near.at(-1)}.`,
    );
  }
  return reshape(x, [n / pack, pack * channels, ...rest]);
}
