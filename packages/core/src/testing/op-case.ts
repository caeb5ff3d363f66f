import type { DType, Shape, Tensor } from "../ir.ts";

/** One input of a case: literal values, or values drawn uniformly from `range` (default -1 to 1). */
export interface CaseInput {
  readonly shape: Shape;
  /** float32 unless said otherwise. Ranges of int32 and uint8 are [low, high) and give whole numbers. */
  readonly dtype?: DType;
  readonly values?: readonly number[];
  readonly range?: readonly [low: number, high: number];
}

/**
 * A small use of an operation. Its gradients are checked against numeric differences and its result
 * on ONNX Runtime against the float64 definition.
 */
export interface OpCase {
  /** The operation's name in the table of `ops/index.ts`, or a composed function's; then `: what`. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, CaseInput>>;
  /** Keys of the argument are those of `inputs`. */
  readonly build: (inputs: Readonly<Record<string, Tensor>>) => Tensor;
  /** False where difference quotients say nothing: at a jump, or where the gradient is another's on purpose. */
  readonly smooth: boolean;
}

/** Defines a case; the builder sees exactly the inputs that are named. */
export function opCase<K extends string>(
  name: string,
  inputs: Readonly<Record<K, CaseInput>>,
  build: (inputs: Readonly<Record<K, Tensor>>) => Tensor,
  { smooth = true } = {},
): OpCase {
  return { name, inputs, build: (given) => build(given as Readonly<Record<K, Tensor>>), smooth };
}
