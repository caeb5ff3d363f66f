import {
  findRecipe,
  resolveOptions,
  type Context,
  type OptionValue,
  type Recipe,
} from "@duelo/zoo";

/** A recipe with the nets of another; options that both have are its own, the rest are the other's, as `set` says. */
export function withNetsOf(
  other: string,
  recipe: string,
  set: Readonly<Record<string, OptionValue>> = {},
): Recipe {
  const [own, { nets, options }] = [findRecipe(recipe), findRecipe(other)];
  const rest = resolveOptions(options, set);
  return { ...own, nets: (c) => nets({ ...rest, ...c } as Context) };
}
