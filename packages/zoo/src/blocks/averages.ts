import { scheduled, type Clock, type Schedule } from "@duelo/core";

/**
 * The decay of an average of weights that forgets half of what it knew in `images` images (Karras et
 * al. 2018). With `rampUp`, at most that share of the images seen so far, so that the first
 * weights are soon forgotten (StyleGAN2 has 0.05).
 */
export const halfLife =
  (o: { readonly batch: number; readonly images: Schedule; readonly rampUp?: number }): Schedule =>
  (clock: Clock) => {
    const stated = scheduled(o.images, clock);
    const images = Math.min(stated, (o.rampUp ?? Infinity) * Math.max(clock.nImages, o.batch));
    return images <= 0 ? 0 : 0.5 ** (o.batch / images);
  };
