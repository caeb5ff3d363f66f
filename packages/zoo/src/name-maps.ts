/**
 * How files of other codes name what a recipe's nets hold. `theirs` gives the name in a state dict
 * from the variable's name within its net (`main.0.weight`); a variable of which it gives nothing is
 * not in such files and keeps its beginning.
 */
export interface NameMap {
  readonly name: string;
  /** What the files are, in one line. */
  readonly about: string;
  readonly recipe: string;
  readonly net: string;
  readonly theirs: (ours: string) => string | undefined;
}

const same = (ours: string): string => ours;

/** Known files, in the order in which they are tried. */
export const nameMaps: readonly NameMap[] = [
  {
    name: "pytorch-examples-dcgan-G",
    about: "netG of pytorch/examples dcgan",
    recipe: "dcgan",
    net: "G",
    theirs: same,
  },
  {
    name: "pytorch-examples-dcgan-D",
    about: "netD of pytorch/examples dcgan",
    recipe: "dcgan",
    net: "D",
    theirs: same,
  },
];

/** Maps for one net of a recipe; its own names where no other code is known. */
export function nameMapsFor(recipe: string, net: string): readonly NameMap[] {
  const found = nameMaps.filter((m) => m.recipe === recipe && m.net === net);
  if (found.length > 0) return found;
  const about = "the names of Duelo's own variables";
  return [{ name: "own", about, recipe, net, theirs: same }];
}
