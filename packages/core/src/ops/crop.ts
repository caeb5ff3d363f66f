import { apply, defineOp, graphError, showShape, type Shape, type Tensor } from "../ir.ts";
import { nth, reader, tabulate } from "./nd.ts";
import { zeroPad } from "./shape.ts";

type CropAttrs = { readonly starts: readonly number[]; readonly shape: Shape };

/**
 * y[i...] = x[i + start...], a box cut out of x in one go. Passes make it of several slices; ONNX's
 * Slice over many axes copies once where a chain of them copies every time.
 */
export const Crop = defineOp<CropAttrs>({
  name: "Crop",
  infer(inputs, { starts, shape }) {
    const x = nth(inputs, 0);
    const fits = shape.every((d, i) => d >= 1 && nth(starts, i) + d <= nth(x.shape, i));
    if (shape.length !== x.shape.length || starts.some((s) => s < 0) || !fits) {
      throw graphError(
        "Crop",
        `${showShape(shape)} from ${showShape(starts)} is not within ${showShape(x.shape)}`,
      );
    }
    return { dtype: x.dtype, shape };
  },
  grad(g, { inputs, attrs }) {
    const after = nth(inputs, 0).shape.map((d, i) => d - nth(attrs.starts, i) - nth(g.shape, i));
    return [zeroPad(g, { before: attrs.starts, after })];
  },
  emit(e, { inputs, attrs }, names) {
    const { shape } = nth(inputs, 0);
    const cut = shape.flatMap((d, i) => (d === attrs.shape[i] ? [] : [i]));
    const bounds = [
      cut.map((i) => nth(attrs.starts, i)),
      cut.map((i) => nth(attrs.starts, i) + nth(attrs.shape, i)),
      cut,
    ];
    return cut.length === 0
      ? nth(names, 0)
      : e.node("Slice", [nth(names, 0), ...bounds.map((b) => e.ints(b))])[0];
  },
  evaluate(inputs, { attrs }) {
    const read = reader(nth(inputs, 0));
    return tabulate(attrs.shape, (index) => read(index.map((i, k) => i + nth(attrs.starts, k))));
  },
});

/** The box of extents `shape` that begins at `starts`, one entry per axis. */
export const crop = (x: Tensor, o: { starts: readonly number[]; shape: Shape }): Tensor =>
  apply(Crop, [x], { starts: o.starts, shape: o.shape });
