import { inputName, topological, type Tensor } from "@duelo/core";
import { traceFunction, withBatch } from "@duelo/zoo";
import type { Trained } from "../export.ts";
import type { Matrix } from "../metrics/matrix.ts";

/** The affine map from the w of one layer to the styles of that layer's channels. */
export interface Affine {
  /** Which w goes in. */
  readonly layer: number;
  /** Its colours are made from it, and no further convolution. */
  readonly ofColours: boolean;
  /** [channels, wDim], as it is used: with the equalised learning rate inside. */
  readonly weight: Matrix;
  /** State entry of the bias, [channels], and the factor that it is used with. */
  readonly bias: { readonly entry: string; readonly gain: number };
}

/**
 * Every affine map of a generator, found in the traced graph of its `synthesis`: the products of one
 * layer's w with a weight, and the bias that is added. In order of layers.
 */
export function affinesOf(trained: Trained): Affine[] {
  const traced = traceFunction(trained.recipe, withBatch(trained.context, 1), "synthesis");
  const nodes = topological(Object.values(traced.graph.outputs));
  const users = usersOf(nodes);
  const valuesOf = (t: Tensor): Float32Array => {
    const entry = traced.state.get(inputName(t)) ?? "";
    const value = trained.state[entry];
    if (!(value?.data instanceof Float32Array)) throw new TypeError(`no state entry "${entry}"`);
    return value.data;
  };
  const found = nodes.flatMap((node): Affine[] => {
    if (node.op.name !== "MatMul" || node.attrs["transB"] !== true) return [];
    const layer = layerOf(node.inputs[0]);
    const weight = scaledInput(node.inputs[1]);
    const added = (users.get(node) ?? []).find((user) => user.op.name === "Add");
    const bias = scaledInput(added?.inputs.find((t) => t !== node));
    if (layer === undefined || weight === undefined || bias === undefined) return [];
    const [rows = 1, cols = 1] = weight.leaf.shape;
    const entry = traced.state.get(inputName(bias.leaf)) ?? "";
    return [
      {
        layer,
        ofColours: /\.torgb\./i.test(inputName(weight.leaf)),
        weight: {
          rows,
          cols,
          data: Float64Array.from(valuesOf(weight.leaf), (v) => v * weight.gain),
        },
        bias: { entry, gain: bias.gain },
      },
    ];
  });
  return found.toSorted((a, b) => a.layer - b.layer);
}

function usersOf(nodes: readonly Tensor[]): Map<Tensor, Tensor[]> {
  const users = new Map<Tensor, Tensor[]>();
  for (const node of nodes)
    for (const operand of node.inputs) users.set(operand, [...(users.get(operand) ?? []), node]);
  return users;
}

/** Which layer's part of the input w this is, if it is one. */
function layerOf(t: Tensor | undefined): number | undefined {
  let node = t;
  while (node?.op.name === "Reshape" || node?.op.name === "Squeeze") node = node.inputs[0];
  const whole = node?.inputs[0];
  const isPart = node?.op.name === "Slice" && node.attrs["axis"] === 1;
  if (!isPart || whole?.op.name !== "Input" || inputName(whole) !== "w") return undefined;
  return Number(node?.attrs["start"]);
}

/** An input, and the constants that it is multiplied by on the way. */
function scaledInput(t: Tensor | undefined): { leaf: Tensor; gain: number } | undefined {
  let node = t;
  let gain = 1;
  while (node?.op.name === "Mul" || node?.op.name === "Reshape") {
    if (node.op.name === "Mul") {
      const factor = node.inputs.find((i) => i.op.name === "Const" && i.size === 1);
      if (factor === undefined) return undefined;
      gain *= factor.literal?.[0] ?? 1;
      node = node.inputs.find((i) => i !== factor);
    } else node = node.inputs[0];
  }
  return node?.op.name === "Input" ? { leaf: node, gain } : undefined;
}
