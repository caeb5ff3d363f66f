import {
  apply,
  defineOp,
  graphError,
  showShape,
  stridesOf,
  type NdArray,
  type OpDef,
  type Shape,
  type Tensor,
} from "../ir.ts";
import { at, type ConvAttrs } from "./conv-geometry.ts";
import { Conv } from "./conv.ts";
import { nth, tabulate } from "./nd.ts";

/*
 * ONNX Runtime's own convolution for processors with wide vectors (domain com.microsoft.nchwc; CPU
 * only). It wants `block` channels side by side: the numbers of [N, C / block, H, W, block], in a
 * tensor that still has the shape [N, C, H, W]; and of a weight [O, C, kh, kw] those of
 * [O / block, C / block, kh, kw, block of C, block of O]. Only passes make these operations.
 */

const domain = "com.microsoft.nchwc";

/** What is known of the layout; the processor decides the block. */
type BlockAttrs = { readonly block: number };
type BlockedConvAttrs = Omit<ConvAttrs, "group"> & BlockAttrs;

/** Where, among blocked numbers, the element of each plain index stands. */
function blockedPlace(shape: Shape, block: number): (index: readonly number[]) => number {
  const [n, c, h, w] = [at(shape, 0), at(shape, 1), at(shape, 2), at(shape, 3)];
  const strides = stridesOf([n, c / block, h, w, block]);
  return ([i = 0, k = 0, y = 0, x = 0]) =>
    [i, Math.floor(k / block), y, x, k % block].reduce((p, v, a) => p + v * at(strides, a), 0);
}

function blocked(x: NdArray, block: number): Float64Array {
  const place = blockedPlace(x.shape, block);
  const y = new Float64Array(x.data.length);
  let k = 0;
  tabulate(x.shape, (index) => (y[place(index)] = at(x.data, k++)));
  return y;
}

function plain(x: NdArray, block: number): NdArray {
  const place = blockedPlace(x.shape, block);
  return { shape: x.shape, data: tabulate(x.shape, (index) => at(x.data, place(index))) };
}

function plainWeight(w: NdArray, block: number): NdArray {
  const [o, c, kh, kw] = [at(w.shape, 0), at(w.shape, 1), at(w.shape, 2), at(w.shape, 3)];
  const strides = stridesOf([o / block, c / block, kh, kw, block, block]);
  const data = tabulate(w.shape, ([i = 0, k = 0, y = 0, x = 0]) => {
    const parts = [Math.floor(i / block), Math.floor(k / block), y, x, k % block, i % block];
    return at(
      w.data,
      parts.reduce((p, v, a) => p + v * at(strides, a), 0),
    );
  });
  return { shape: w.shape, data };
}

function reorder(o: {
  name: string;
  emit: OpDef<BlockAttrs>["emit"];
  evaluate: (x: NdArray, block: number) => Float64Array;
}): OpDef<BlockAttrs> {
  return defineOp<BlockAttrs>({
    name: o.name,
    infer(inputs, { block }) {
      const { dtype, shape } = nth(inputs, 0);
      if (dtype !== "float32" || shape.length !== 4 || at(shape, 1) % block !== 0) {
        throw graphError(o.name, `${dtype} ${showShape(shape)} has no blocks of ${block} channels`);
      }
      return { dtype, shape };
    },
    grad: "none",
    emit: o.emit,
    evaluate: (inputs, { attrs }) => o.evaluate(nth(inputs, 0), attrs.block),
  });
}

/** y = x with blocks of channels side by side. */
export const ToBlocked = reorder({
  name: "ToBlocked",
  emit: (e, _node, inputs) => e.node("ReorderInput", inputs, {}, { domain })[0],
  evaluate: blocked,
});

/** The inverse of ToBlocked. */
export const FromBlocked = reorder({
  name: "FromBlocked",
  emit: (e, node, inputs) =>
    e.node("ReorderOutput", inputs, { channels: { int: at(node.shape, 1) } }, { domain })[0],
  evaluate: (x, block) => plain(x, block).data,
});

/** Conv of one group over two axes, of a blocked input and weight; the result is blocked. */
export const BlockedConv = defineOp<BlockedConvAttrs>({
  name: "BlockedConv",
  infer: (inputs, attrs) => Conv.infer(inputs, { ...attrs, group: 1 }),
  grad: "none",
  emit(e, { inputs, attrs }, names) {
    const attributes = {
      kernel_shape: { ints: nth(inputs, 1).shape.slice(2) },
      strides: { ints: attrs.strides },
      pads: { ints: attrs.pads },
      dilations: { ints: attrs.dilations },
      group: { int: 1 },
    };
    return e.node("Conv", names, attributes, { domain })[0];
  },
  evaluate(inputs, node) {
    const { block } = node.attrs;
    const [x, w] = [nth(inputs, 0), nth(inputs, 1)];
    const data = Conv.evaluate([plain(x, block), plainWeight(w, block), ...inputs.slice(2)], {
      ...node,
      attrs: { ...node.attrs, group: 1 },
    } as unknown as Tensor<ConvAttrs>);
    return blocked({ shape: node.shape, data }, block);
  },
});

/** x blocked; what has just been unblocked is taken as it was. */
export const toBlocked = (x: Tensor, block: number): Tensor =>
  x.op.name === "FromBlocked" ? nth(x.inputs, 0) : apply(ToBlocked, [x], { block });
export const fromBlocked = (x: Tensor, block: number): Tensor => apply(FromBlocked, [x], { block });
