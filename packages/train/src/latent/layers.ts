import { UserError } from "@duelo/core";

/** Layers that a generator has, each once, in order. Throws UserError for another. */
export function checkLayers(
  layers: readonly number[],
  run: { readonly nLayers: number },
): readonly number[] {
  const wrong = layers.find((l) => !(Number.isInteger(l) && l >= 0 && l < run.nLayers));
  if (wrong !== undefined)
    throw new UserError(
      `There is no layer ${wrong}: this generator has layers 0 to ${run.nLayers - 1}.`,
    );
  return [...new Set(layers)].toSorted((a, b) => a - b);
}
