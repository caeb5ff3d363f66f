import { fillInts, streamOf } from "../random.ts";
import type { PictureSource } from "./source.ts";

/**
 * Pictures of three channels, each a grey picture of `base` drawn by a fixed seed, and as classes all
 * triples of base's classes: the protocol of stacked MNIST (Metz et al. 2016, Section 3.3.1), where
 * a count of the 1,000 classes that a generator reaches says how many modes it has. Nothing is
 * stored: a picture is put together when it is read.
 */
export function stackPictures(o: {
  readonly base: PictureSource;
  readonly name: string;
  readonly length: number;
}): PictureSource {
  const { base, name, length } = o;
  const { labels, classes, uniform } = base;
  if (uniform?.channels !== 1 || labels === undefined || classes === undefined)
    throw new TypeError(
      `${base.name} cannot be stacked: it needs grey pictures of one size, with labels`,
    );
  const drawn = new Int32Array(3 * length);
  fillInts(drawn, base.length, { seed: 0, stream: streamOf(`stacked ${name}`), counter: 0 });
  const part = (i: number, channel: number): number => drawn[3 * i + channel] ?? 0;
  const label = (record: number): number => labels[record] ?? 0;
  const n = classes.length;
  return {
    ...base,
    name,
    layout: `three channels of ${base.name}`,
    length,
    uniform: { ...uniform, channels: 3 },
    labels: Int32Array.from(
      { length },
      (_, i) => (label(part(i, 0)) * n + label(part(i, 1))) * n + label(part(i, 2)),
    ),
    classes: classes.flatMap((r) => classes.flatMap((g) => classes.map((b) => `${r}, ${g}, ${b}`))),
    fingerprint: `${base.fingerprint} stacked ${length}`,
    nameOf: (i) => `${name} #${i}`,
    async load(i) {
      const data = new Uint8Array(3 * uniform.height * uniform.width); // [H, W, 3]
      for (let channel = 0; channel < 3; channel++) {
        const picture = await base.load(part(i, channel));
        if (!("pixels" in picture)) throw new TypeError(`${base.name} gives no pixels`);
        picture.pixels.data.forEach((v, k) => (data[3 * k + channel] = v));
      }
      return { pixels: { ...uniform, data, channels: 3 } };
    },
  };
}
