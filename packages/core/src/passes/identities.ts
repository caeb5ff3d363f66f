import type { Graph } from "../graph.ts";
import { sameShape, sizeOf, Tensor, type Shape } from "../ir.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { scalar } from "../ops/leaf.ts";
import { nth } from "../ops/nd.ts";
import { sum } from "../ops/reduce.ts";
import { expand, reshape, transpose } from "../ops/shape.ts";
import { rewrite } from "./rewrite.ts";

/**
 * Rewrites expressions into equal, cheaper ones. The result is to be run and not to be
 * differentiated: stopGradient is removed.
 */
export const simplify = (graph: Graph): Graph =>
  rewrite(graph, (node) => {
    const rule = rules[node.op.name];
    const next = broadcastInPlace(node);
    return next === node ? (rule?.(node) ?? node) : next;
  });

type Rule = (node: Tensor) => Tensor | undefined;

/** By operation: the cheaper expression, or undefined where there is none. */
const rules: Readonly<Record<string, Rule>> = {
  Add: addition,
  Sub: subtraction,
  Mul: multiplication,
  Div: (node) => (isAll(node.inputs[1], 1) ? same(node, 0) : undefined),
  Pow: (node) => (isAll(node.inputs[1], 1) ? same(node, 0) : undefined),
  StopGradient: (node) => nth(node.inputs, 0),
  Cast: (node) => same(node, 0),
  Reshape: reshaping,
  Expand: expansion,
  Transpose: transposition,
  ReduceSum: reduction,
};

const [first, second] = [0, 1].map((i) => (node: Tensor) => nth(node.inputs, i)) as [
  (node: Tensor) => Tensor,
  (node: Tensor) => Tensor,
];

/** The i-th operand when it has the node's type, so that it can stand for the node. */
function same(node: Tensor, i: number): Tensor | undefined {
  const x = nth(node.inputs, i);
  return x.dtype === node.dtype && sameShape(x.shape, node.shape) ? x : undefined;
}

/** x + 0 = x, x + x = 2 x, a + -b = a - b, -a + b = b - a. */
function addition(node: Tensor): Tensor | undefined {
  const [a, b] = [first(node), second(node)];
  if (isAll(b, 0)) return same(node, 0);
  if (isAll(a, 0)) return same(node, 1);
  if (a === b) return mul(a, 2);
  const negB = negated(b);
  if (negB) return sub(a, negB);
  const negA = negated(a);
  return negA ? sub(b, negA) : undefined;
}

/** x - 0 = x, a - -b = a + b. */
function subtraction(node: Tensor): Tensor | undefined {
  if (isAll(second(node), 0)) return same(node, 0);
  const negB = negated(second(node));
  return negB ? add(first(node), negB) : undefined;
}

/** x 1 = x; numbers stand on the right; (x c) d = x (c d) where c and d are smaller than x. */
function multiplication(node: Tensor): Tensor | undefined {
  const [a, b] = [first(node), second(node)];
  if (isAll(b, 1)) return same(node, 0);
  if (isAll(a, 1)) return same(node, 1);
  if (number(a) !== undefined && number(b) === undefined) return mul(b, a);
  if (node.dtype !== "float32") return undefined;
  return gathered(a, b) ?? gathered(b, a);
}

/** (x c) d as x (c d), when that multiplies fewer numbers. */
function gathered(product: Tensor, d: Tensor): Tensor | undefined {
  if (product.op.name !== "Mul" || d.size === product.size) return undefined;
  const [x, c] = [first(product), second(product)];
  const [c1, d1] = [number(c), number(d)];
  if (c1 !== undefined && d1 !== undefined) return mul(x, scalar(c1 * d1));
  const small = sizeOf(broadcast([c.shape, d.shape])) < product.size;
  return small && sameShape(x.shape, product.shape) ? mul(x, mul(c, d)) : undefined;
}

/** Only the last of several reshapes counts; a number keeps its shape by expanding anew. */
function reshaping(node: Tensor): Tensor | undefined {
  const x = first(node);
  if (sameShape(x.shape, node.shape)) return x;
  if (x.op.name === "Reshape") return reshape(first(x), node.shape);
  if (x.op.name === "Expand" && first(x).size === 1) {
    return expand(reshape(first(x), []), node.shape);
  }
  return undefined;
}

function expansion(node: Tensor): Tensor | undefined {
  const x = first(node);
  if (sameShape(x.shape, node.shape)) return x;
  return x.op.name === "Expand" ? expand(first(x), node.shape) : undefined;
}

/** Two transposes are one; one that moves only axes of extent 1 is a reshape. */
function transposition(node: Tensor): Tensor | undefined {
  const x = first(node);
  const perm = permOf(node);
  if (x.op.name === "Transpose") {
    const inner = permOf(x);
    return transpose(
      first(x),
      perm.map((axis) => inner[axis] ?? axis),
    );
  }
  const moved = perm.filter((axis) => x.shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || (moved[i - 1] ?? 0) < axis)
    ? reshape(x, node.shape)
    : undefined;
}

/** A sum over axes of extent 1 is a reshape; a factor that does not change along the axes leaves the sum. */
function reduction(node: Tensor): Tensor | undefined {
  const x = first(node);
  if (x.size === node.size) return reshape(x, node.shape);
  const axes = numbersOf(node, "axes");
  if (x.op.name !== "Mul" || x.dtype !== "float32") return undefined;
  const [a, b] = [first(x), second(x)];
  const offset = x.rank - b.rank;
  const fixed = axes.every((axis) => axis < offset || b.shape[axis - offset] === 1);
  if (!fixed || !sameShape(a.shape, x.shape)) return undefined;
  const total = sum(a, { axes, keep: true });
  return reshape(mul(total, b), node.shape);
}

/** Operations that broadcast, so that an operand need not be expanded before. */
const broadcasting = new Set(
  "Add Sub Mul Div Pow Max Min Equal Less LessOrEqual Greater GreaterOrEqual And Or Where".split(
    " ",
  ),
);

/**
 * f(x, expand(y)) = f(x, y) where x has the result's shape, f(expand(x), expand(y)) = expand(f(x, y))
 * where neither has; a constant of one value is a number.
 */
function broadcastInPlace(node: Tensor): Tensor {
  if (!broadcasting.has(node.op.name)) return node;
  const thin = node.inputs.map((x) => {
    if (x.op.name === "Expand") return first(x);
    const value = number(x);
    return value !== undefined && x.rank > 0 ? scalar(value, x.dtype) : x;
  });
  if (sizeOf(broadcast(thin.map((x) => x.shape))) < node.size) {
    return expand(new Tensor(node.op, thin, node.attrs), node.shape);
  }
  const inputs = [...node.inputs];
  thin.forEach((y, i) => {
    const others = inputs.filter((_, k) => k !== i).map((x) => x.shape);
    if (sameShape(broadcast([...others, y.shape]), node.shape)) inputs[i] = y;
  });
  return inputs.every((x, i) => x === node.inputs[i])
    ? node
    : new Tensor(node.op, inputs, node.attrs);
}

function broadcast(shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) =>
    Math.max(...shapes.map((s) => s[i - rank + s.length] ?? 1)),
  );
}

/** The one value of a constant, however often it holds it. */
function number(t: Tensor | undefined): number | undefined {
  if (t?.op.name === "Expand") return number(t.inputs[0]);
  const value = t?.literal?.[0];
  return t?.literal?.every((v) => v === value) ? value : undefined;
}

const isAll = (t: Tensor | undefined, value: number): boolean => number(t) === value;

/** x, when t is x times -1. */
const negated = (t: Tensor): Tensor | undefined =>
  t.op.name === "Mul" && isAll(second(t), -1) ? same(t, 0) : undefined;

const permOf = (node: Tensor): readonly number[] => numbersOf(node, "perm");

function numbersOf(node: Tensor, name: string): readonly number[] {
  const value = node.attrs[name];
  if (!Array.isArray(value)) throw new TypeError(`${node.op.name} has no ${name}`);
  return value;
}
