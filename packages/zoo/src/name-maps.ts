/**
 * How files of other codes name what a recipe's nets hold. `theirs` gives the name in a state dict
 * from the variable's name within its net (`main.0.weight`), and the names of all of that net's; a
 * variable of which it gives nothing is not in such files and keeps its beginning.
 */
export interface NameMap {
  readonly name: string;
  /** What the files are, in one line. */
  readonly about: string;
  readonly recipe: string;
  readonly net: string;
  readonly theirs: (ours: string, all: readonly string[]) => string | undefined;
}

const same = (ours: string): string => ours;

/** ResnetGenerator: one Sequential `model`; a block's own is `conv_block`. */
const resnet = (ours: string): string => `model.${ours.replace(".body.", ".conv_block.")}`;

/**
 * UnetGenerator: each level is a Sequential `model` with the next one inside. On the way down stand a
 * rectifier, convolution and norm, then the level inside, rectifier, transposed convolution and norm; the
 * outermost level has neither the first rectifier nor norms, the innermost no first norm and nothing inside.
 */
function unet(ours: string, all: readonly string[]): string {
  const [inner = "", way = "", rest = ""] =
    /^((?:in\.)*)(down|up)\.(.*)$/.exec(ours)?.slice(1) ?? [];
  const level = inner.length / "in.".length;
  const outermost = level === 0;
  const innermost = !all.some((name) => name.startsWith(`${inner}in.`));
  const isNorm = rest.startsWith("norm.");
  const down = outermost ? 0 : 1 + Number(isNorm);
  const up = (outermost || innermost ? 3 : 5) + Number(isNorm);
  const path = Array.from({ length: level }, (_, k) => `model.${k === 0 ? 1 : 3}.`).join("");
  return `model.${path}model.${way === "down" ? down : up}.${rest.replace("norm.", "")}`;
}

/** Generator of BigGAN-PyTorch, with the attention after block number `attending`. */
const bigGan =
  (attending: number) =>
  (ours: string): string =>
    ours
      .replace(/^block(\d+)\./, "blocks.$1.0.")
      .replace(/^attention\./, `blocks.${attending}.1.`)
      .replace(/^head\.0\.weight$/, "output_layer.0.gain")
      .replace(/^head\./, "output_layer.")
      .replace(".shortcut.", ".conv_sc.")
      .replace("running_", "stored_")
      .replace(/weight_u$/, "u0");

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
  ...["G", "F"].map((net) => ({
    name: `junyanz-cyclegan-${net}`,
    about: "ResnetGenerator of junyanz/pytorch-CycleGAN-and-pix2pix",
    recipe: "cyclegan",
    net,
    theirs: resnet,
  })),
  {
    name: "junyanz-pix2pix-G",
    about: "UnetGenerator of junyanz/pytorch-CycleGAN-and-pix2pix",
    recipe: "pix2pix",
    net: "G",
    theirs: unet,
  },
  ...[0, 1, 2, 3, 4, 5].map((attending) => ({
    name: `ajbrock-biggan-G${attending}`,
    about: `G of ajbrock/BigGAN-PyTorch, attention after block ${attending}`,
    recipe: "biggan",
    net: "G",
    theirs: bigGan(attending),
  })),
];

/** Maps for one net of a recipe; its own names where no other code is known. */
export function nameMapsFor(recipe: string, net: string): readonly NameMap[] {
  const found = nameMaps.filter((m) => m.recipe === recipe && m.net === net);
  if (found.length > 0) return found;
  const about = "the names of Duelo's own variables";
  return [{ name: "own", about, recipe, net, theirs: same }];
}
