import { sameShape, type Shape } from "@duelo/core";
import type { Context, FunctionGraph, ImageField, Recipe } from "@duelo/zoo";
import { fieldIn, streamName } from "./streams.ts";

/** What feeds one input of a function; kept in its file's metadata as JSON, `duelo.inputs`. */
export interface FunctionInput {
  readonly name: string;
  /**
   * Noise: `normal`, `uniform`, `ints`, or `label` (the number of a class). Of a record of the data:
   * `image` (uint8 pixels), `vector`, or `label`. `given`: none of these, such as w of a mapping.
   */
  readonly kind: "normal" | "uniform" | "ints" | "label" | "image" | "vector" | "given";
  /** Shape of one sample's part, without the batch. */
  readonly shape: readonly number[];
  /** It is this part of a record of the data. */
  readonly ofRecord?: { readonly stream: string; readonly field: "x" | "y" | "pair" };
  /** Bounds of noise. */
  readonly low?: number;
  readonly high?: number;
  /** What pixels 0 and 255 of an image become inside. */
  readonly range?: readonly [number, number];
}

/** One result of a function; kept as JSON, `duelo.outputs`. */
export interface FunctionOutput {
  readonly name: string;
  readonly shape: readonly number[];
  /** The values that mean 0 and 255; left out when these are no pixels. */
  readonly range?: readonly [number, number];
}

/** All that the file of a function says of itself, beside its graph. */
export interface FunctionCard {
  readonly recipe: string;
  /** `sample` for the generator. */
  readonly function: string;
  readonly step: number;
  readonly inputs: readonly FunctionInput[];
  readonly outputs: readonly FunctionOutput[];
  readonly classes: readonly string[];
}

/** The element type that an input is fed with. */
export const dtypeOf = ({ kind }: FunctionInput): "uint8" | "int32" | "float32" => {
  if (kind === "image") return "uint8";
  return kind === "label" || kind === "ints" ? "int32" : "float32";
};

/** What a traced function takes and gives. */
export function signatureOf(o: {
  recipe: Recipe;
  context: Context;
  name: string;
  traced: FunctionGraph;
}): Pick<FunctionCard, "inputs" | "outputs"> {
  const { traced } = o;
  const fields = traced.fields.map((name) => fieldInput(o.recipe, o.context, name));
  const given = [...traced.takes].map(([name, shape]): FunctionInput => {
    return { name, kind: "given", shape: shape.slice(1) };
  });
  const outputs = Object.entries(traced.graph.outputs).map(([name, t]): FunctionOutput => {
    const shape = t.shape.slice(1);
    const range = rangeOf({ ...o, shape });
    return { name, shape, ...(range === undefined ? {} : { range }) };
  });
  return { inputs: [...fields, ...given, ...noiseInputs(traced)], outputs };
}

function fieldInput(recipe: Recipe, context: Context, name: string): FunctionInput {
  const field = recipe.data[name];
  if (field === undefined) throw new TypeError(`recipe ${recipe.name} has no field "${name}"`);
  const ofRecord = { stream: streamName(field), field: fieldIn(recipe.data, name) };
  const shape = context.shape[name] ?? [];
  if (field.domain !== "image") return { name, kind: field.domain, shape, ofRecord };
  return { name, kind: "image", shape, ofRecord, range: field.range };
}

const noiseInputs = ({ noise }: FunctionGraph): FunctionInput[] =>
  [...noise].map(([name, spec]) => {
    const shape = spec.shape.slice(1);
    if (spec.kind === "uniform")
      return { name, kind: spec.kind, shape, low: spec.low, high: spec.high };
    if (spec.kind === "ints") return { name, kind: spec.kind, shape, low: 0, high: spec.high };
    return { name, kind: spec.kind, shape };
  });

/** Samples are in the data's range, and so is a result of the shape of an image of the data. */
function rangeOf(o: {
  recipe: Recipe;
  context: Context;
  name: string;
  shape: Shape;
}): ImageField["range"] | undefined {
  const images = Object.entries(o.recipe.data).flatMap(([name, f]) =>
    f.domain === "image" ? [{ name, range: f.range }] : [],
  );
  if (o.name === "sample") return images[0]?.range;
  return images.find((i) => sameShape(o.context.shape[i.name] ?? [], o.shape))?.range;
}

/** The card as the metadata of an ONNX file. */
export function metadataOf(card: FunctionCard): Record<string, string> {
  const [first] = card.outputs;
  const range = first?.range;
  return {
    "duelo.recipe": card.recipe,
    "duelo.function": card.function,
    "duelo.step": String(card.step),
    "duelo.inputs": JSON.stringify(card.inputs),
    "duelo.outputs": JSON.stringify(card.outputs),
    "duelo.classes": JSON.stringify(card.classes),
    ...(range === undefined
      ? {}
      : {
          "duelo.range": JSON.stringify(range),
          "Image.NominalPixelRange": range[0] === -1 ? "Normalized_1_1" : "Normalized_0_1",
        }),
  };
}

/** The card that `metadataOf` wrote. */
export const readCard = (metadata: Readonly<Record<string, string>>): FunctionCard => ({
  recipe: metadata["duelo.recipe"] ?? "",
  function: metadata["duelo.function"] ?? "sample",
  step: Number(metadata["duelo.step"] ?? 0),
  inputs: JSON.parse(metadata["duelo.inputs"] ?? "[]") as FunctionInput[],
  outputs: JSON.parse(metadata["duelo.outputs"] ?? "[]") as FunctionOutput[],
  classes: JSON.parse(metadata["duelo.classes"] ?? "[]") as string[],
});
