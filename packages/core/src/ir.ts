import { GraphError } from "./errors.ts";

/** float32 is differentiable; int32 holds labels and indices; uint8 holds packed pixels. */
export type DType = "float32" | "int32" | "uint8" | "bool";
export type Shape = readonly number[];
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

export type AttrValue = number | string | boolean | readonly number[];
export type Attrs = Readonly<Record<string, AttrValue>>;

/** A dense array for the float64 definition of an operation; every dtype is held as float64. */
export interface NdArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** What an operation may ask of the ONNX graph under construction. Names are value names. */
export interface Emitter {
  /** Adds a node and returns the names of its outputs (one unless `outputs` says more). */
  node(
    opType: string,
    inputs: readonly string[],
    attrs?: OnnxAttrs,
    options?: { outputs?: number; domain?: string },
  ): readonly [string, ...string[]];
  /** An int64 constant, 1-D unless `shape` is given. */
  ints(values: readonly number[], shape?: Shape): string;
  /** A constant of `type` holding `data`. */
  constant(type: TensorType, data: ArrayLike<number>): string;
}
export type OnnxAttrs = Readonly<
  Record<
    string,
    { int: number } | { ints: readonly number[] } | { float: number } | { string: string }
  >
>;

/**
 * An operation, whole, in one place. Names are ONNX's where ONNX has the operation.
 * `grad` returns one cotangent per input (null: no gradient flows there), built of differentiable
 * operations, so that gradients of gradients need nothing special; "none" says that the operation
 * has no gradient at all.
 */
export interface OpDef<A extends Attrs = Attrs> {
  readonly name: string;
  /** Checks input types and attributes and returns the result's type. Throws GraphError. */
  infer(inputs: readonly TensorType[], attrs: A): TensorType;
  readonly grad: "none" | GradRule<A>;
  /** Adds the operation to an ONNX graph and returns the name of its result. */
  emit(e: Emitter, node: Tensor<A>, inputs: readonly string[]): string;
  /** The definition: slow, obvious, float64. */
  evaluate(inputs: readonly NdArray[], node: Tensor<A>): Float64Array;
}
type GradRule<A extends Attrs> = {
  // A method, so that OpDef<A> can stand where OpDef<Attrs> is asked for.
  bivariant(g: Tensor, node: Tensor<A>): readonly (Tensor | null)[];
}["bivariant"];

let nextId = 0;
const path: string[] = [];

/** Runs `trace` with `name` added to the place that errors and printed graphs speak of. */
export function at<T>(name: string, trace: () => T): T {
  path.push(name);
  try {
    return trace();
  } finally {
    path.pop();
  }
}

/** The place being traced, such as `D.main.2`, or nothing at top level. */
export const currentPath = (): string | undefined => (path.length > 0 ? path.join(".") : undefined);

/** A node of the graph and its one result: a symbolic tensor with a static shape. Immutable. */
export class Tensor<A extends Attrs = Attrs> implements TensorType {
  readonly id = nextId++;
  readonly op: OpDef<A>;
  readonly inputs: readonly Tensor[];
  readonly attrs: A;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Where it was traced. */
  readonly at: string | undefined = currentPath();
  /** Literal values; only on `Const`. */
  readonly literal: Float64Array | undefined;

  constructor(op: OpDef<A>, inputs: readonly Tensor[], attrs: A, literal?: Float64Array) {
    const type = op.infer(inputs, attrs);
    this.op = op;
    this.inputs = inputs;
    this.attrs = attrs;
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.literal = literal;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }
}

/** Declares an operation; the type demands every field. */
export function defineOp<A extends Attrs = Attrs>(definition: OpDef<A>): OpDef<A> {
  return definition;
}

/** Applies an operation. */
export function apply<A extends Attrs>(op: OpDef<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  return new Tensor(op, inputs, attrs) as unknown as Tensor;
}

export const sizeOf = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);
export const showShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) {
    strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  }
  return strides;
}

/** The shape that NumPy's rules give for two operands. Throws GraphError when there is none. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      throw graphError(op, `shapes ${showShape(a)} and ${showShape(b)} do not broadcast`);
    }
    return da === 1 ? db : da;
  });
}

/** A GraphError that names the place being traced. */
export function graphError(op: string, problem: string, hint?: string): GraphError {
  const where = currentPath();
  return new GraphError({
    op,
    problem,
    ...(where === undefined ? {} : { at: where }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Counts axes from the end when negative. Throws GraphError when out of range. */
export function axisOf(op: string, axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(a) || a < 0 || a >= Math.max(rank, 1)) {
    throw graphError(op, `axis ${axis} is outside a tensor of rank ${rank}`);
  }
  return a;
}

/** Checks that an operand has the dtype asked for. */
export function demand(op: string, what: string, t: TensorType | undefined, dtype: DType): void {
  if (t?.dtype !== dtype) {
    throw graphError(op, `${what} is ${t?.dtype ?? "missing"}, expected ${dtype}`);
  }
}
