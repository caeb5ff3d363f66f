import type { Command } from "commander";
import { size } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

export function addShow(program: Command, terminal: Terminal): void {
  program
    .command("show")
    .description("show a recipe: paper, sources, options, presets; or a phase's graph")
    .argument("<recipe>", "its name; duelo list has them all")
    .option("--phase <net>", "print the graph of the phase that trains this net")
    .option("--preset <name>", "the preset whose options and size are shown")
    .option("--size <pixels>", "image size of the graph: 64, or HEIGHTxWIDTH", size)
    .addHelpText("after", "\nExamples:\n  duelo show dcgan\n  duelo show wgan-gp --phase D")
    .action(async (name: string, flags: ShowFlags) => {
      const { describePhase, describeRecipe } = await import("../describe.ts");
      const { phase, preset, size: pixels } = flags;
      const chosen = { recipe: name, ...(preset === undefined ? {} : { preset }) };
      terminal.out(
        phase === undefined
          ? describeRecipe(chosen)
          : describePhase({ ...chosen, phase, ...pixels }),
      );
    });
}

interface ShowFlags {
  readonly phase?: string;
  readonly preset?: string;
  readonly size?: { height: number; width: number };
}
