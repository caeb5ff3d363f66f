import { apply, defineOp, graphError, showShape, stridesOf, sizeOf, type Tensor } from "../ir.ts";
import { add } from "./arithmetic.ts";
import { at } from "./conv-geometry.ts";
import { sum } from "./reduce.ts";
import { concat, flip, slice, zeroPad } from "./shape.ts";

type BorderMode = "reflect" | "edge";
type BorderAttrs = {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly mode: BorderMode;
};

/** Where position `i` of the padded axis reads in an axis of `size`. */
function source(i: number, size: number, mode: BorderMode): number {
  if (mode === "edge") return Math.min(Math.max(i, 0), size - 1);
  const mirrored = Math.abs(i);
  return mirrored < size ? mirrored : 2 * (size - 1) - mirrored;
}

/**
 * y[i] = x[source(i - before)]: ONNX's Pad in the modes reflect (mirrored about the edge element)
 * and edge (the edge element repeated). The gradient folds the border back: it is made of slices,
 * flips and additions, and so has gradients itself.
 */
export const PadBorder = defineOp<BorderAttrs>({
  name: "PadBorder",
  infer([x], { before, after, mode }) {
    if (!x || before.length !== x.shape.length || after.length !== x.shape.length) {
      throw graphError(
        "Pad",
        `before ${showShape(before)} and after ${showShape(after)} need one entry per axis`,
      );
    }
    const shape = x.shape.map((size, axis) => {
      const [b, a] = [at(before, axis), at(after, axis)];
      const most = mode === "reflect" ? size - 1 : Infinity;
      if (b < 0 || a < 0 || b > most || a > most || !Number.isInteger(b) || !Number.isInteger(a)) {
        throw graphError(
          "Pad",
          `${mode} cannot pad axis ${axis} of ${showShape(x.shape)} by ${b} and ${a}`,
          mode === "reflect" ? "Reflection needs less padding than the axis is long." : undefined,
        );
      }
      return size + b + a;
    });
    return { dtype: x.dtype, shape };
  },
  grad(g, { attrs: { before, after, mode } }) {
    const fold = mode === "reflect" ? foldReflected : foldEdge;
    return [
      before.reduce((folded, b, axis) => {
        const a = at(after, axis);
        return b + a === 0 ? folded : fold(folded, axis, b, a);
      }, g),
    ];
  },
  emit: (e, { attrs }, [x = ""]) =>
    e.node("Pad", [x, e.ints([...attrs.before, ...attrs.after])], {
      mode: { string: attrs.mode },
    })[0],
  evaluate([x], { shape, attrs }) {
    const strides = stridesOf(shape);
    const from = stridesOf(x?.shape ?? []);
    return Float64Array.from({ length: sizeOf(shape) }, (_, flat) => {
      const index = shape.reduce((place, size, axis) => {
        const i = (Math.floor(flat / at(strides, axis)) % size) - at(attrs.before, axis);
        return place + source(i, at(x?.shape ?? [], axis), attrs.mode) * at(from, axis);
      }, 0);
      return at(x?.data ?? [], index);
    });
  },
});

/** Adds the mirrored borders onto what they mirror. */
function foldReflected(g: Tensor, axis: number, before: number, after: number): Tensor {
  const size = at(g.shape, axis) - before - after;
  const end = before + size;
  let y = slice(g, { axis, start: before, end });
  if (before > 0) {
    const mirrored = flip(slice(g, { axis, start: 0, end: before }), axis);
    const reached = slice(y, { axis, start: 1, end: 1 + before });
    y = replace(y, axis, 1, add(reached, mirrored));
  }
  if (after > 0) {
    const mirrored = flip(slice(g, { axis, start: end, end: end + after }), axis);
    const reached = slice(y, { axis, start: size - 1 - after, end: size - 1 });
    y = replace(y, axis, size - 1 - after, add(reached, mirrored));
  }
  return y;
}

/** Adds the sums of the borders onto the edge elements. */
function foldEdge(g: Tensor, axis: number, before: number, after: number): Tensor {
  const size = at(g.shape, axis) - before - after;
  const end = before + size;
  const total = (start: number, stop: number): Tensor =>
    sum(slice(g, { axis, start, end: stop }), { axes: [axis], keep: true });
  if (size === 1) return total(0, end + after);
  const inner = slice(g, { axis, start: before, end });
  return replace(
    replace(inner, axis, 0, total(0, before + 1)),
    axis,
    size - 1,
    total(end - 1, end + after),
  );
}

/** y with `part` in place of what stands from `start` on along an axis. */
function replace(y: Tensor, axis: number, start: number, part: Tensor): Tensor {
  const [size, end] = [at(y.shape, axis), start + at(part.shape, axis)];
  const first = start > 0 ? [slice(y, { axis, start: 0, end: start })] : [];
  const last = end < size ? [slice(y, { axis, start: end, end: size })] : [];
  return concat([...first, part, ...last], axis);
}

/**
 * Pads each axis by `before` and `after` elements.
 *
 * @param options mode "constant" (the default) fills with `value`, or 0; "reflect" mirrors about the
 *   edge element, less than the axis' length; "edge" repeats it. One entry per axis of x.
 */
export function pad(
  x: Tensor,
  options: {
    readonly before: readonly number[];
    readonly after: readonly number[];
    readonly mode?: "constant" | BorderMode;
    readonly value?: number;
  },
): Tensor {
  const { before, after, mode = "constant", value = 0 } = options;
  if (before.length === x.rank && [...before, ...after].every((p) => p === 0)) return x;
  if (mode === "constant") return zeroPad(x, { before: [...before], after: [...after], value });
  return apply(PadBorder, [x], { before, after, mode });
}
