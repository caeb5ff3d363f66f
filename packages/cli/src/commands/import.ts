import { InvalidArgumentError, type Command } from "commander";
import { plural } from "../format.ts";
import { channels, pair, size, whole } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

export function addImport(program: Command, terminal: Terminal): void {
  program
    .command("import")
    .description("begin a run with weights that another code trained")
    .argument("<recipe>", "its name; duelo list has them all")
    .argument(
      "<net=file...>",
      "for each net a state dict: .safetensors, or of torch.save (.pth, .pt)",
      netFile,
    )
    .option("--preset <name>", "a choice of options; duelo show RECIPE has them all")
    .option("--set <key=value>", "an option of the recipe; may be repeated", pair)
    .option("--size <pixels>", "image size: 64, or HEIGHTxWIDTH", size)
    .option("--channels <n>", "1 grey, 3 colour, 4 colour and alpha", channels)
    .option("--classes <n>", "how many classes the nets are told of", whole(1))
    .option("--key <name>", "which of several sets of weights in a PyTorch file")
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--json", "print what was taken as JSON")
    .addHelpText(
      "after",
      "\nNothing in a file is run: it holds tensors, or it is refused.\n\nExample:\n  duelo import dcgan G=netG.pth --size 64 --channels 3 --set width=64",
    )
    .action(async (recipe: string, files: Record<string, string>, flags: ImportFlags) => {
      const { importWeights } = await import("@duelo/train");
      const { json, preset, set, size: pixels, channels: n, classes, key, runs } = flags;
      const imported = await importWeights({
        ...{ recipe, files, runs },
        ...pixels,
        ...(preset === undefined ? {} : { preset }),
        ...(set === undefined ? {} : { set }),
        ...(n === undefined ? {} : { channels: n }),
        ...(key === undefined ? {} : { key }),
        ...(classes === undefined
          ? {}
          : { classes: Array.from({ length: classes }, (_, i) => String(i)) }),
      });
      if (json === true) return terminal.out(`${JSON.stringify(imported)}\n`);
      for (const [net, { map, nTensors }] of Object.entries(imported.nets))
        terminal.err(`${net}: ${plural(nTensors, "tensor")} (${map})\n`);
      if (imported.untrained.length > 0)
        terminal.err(
          `Without weights: ${imported.untrained.join(", ")}. What needs them is refused.\n`,
        );
      if (imported.leftOut.length > 0) terminal.err(`Left out: ${imported.leftOut.join(", ")}\n`);
      terminal.out(`${imported.dir}\n`);
    });
}

/** Collects `net=file`, one file a net. */
function netFile(text: string, before: Readonly<Record<string, string>> = {}) {
  if (!/^[^=]+=./s.test(text))
    throw new InvalidArgumentError("It takes a net and its file, such as G=netG.pth.");
  const net = text.slice(0, text.indexOf("="));
  if (Object.hasOwn(before, net))
    throw new InvalidArgumentError(`Net ${net} was given a file already.`);
  return pair(text, before);
}

interface ImportFlags {
  readonly preset?: string;
  readonly set?: Record<string, string>;
  readonly size?: { height: number; width: number };
  readonly channels?: 1 | 3 | 4;
  readonly classes?: number;
  readonly key?: string;
  readonly runs: string;
  readonly json?: true;
}
