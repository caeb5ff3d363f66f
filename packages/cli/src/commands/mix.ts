import type { Command } from "commander";
import { addRunFlags, doAndTell, runHelp, said, type RunFlags } from "../latent-commands.ts";
import { numbers, zeroUp } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends RunFlags {
  readonly rows?: readonly number[];
  readonly columns?: readonly number[];
  readonly layers?: readonly number[];
  readonly label?: string;
  readonly truncation?: number;
}

export function addMix(program: Command, terminal: Terminal): void {
  addRunFlags(program.command("mix").argument("<run>", runHelp), "the PNG to write")
    .description("mix styles: a table of samples whose layers come from others")
    .option("--rows <numbers>", "samples as duelo sample counts them (default: 0-3)", numbers)
    .option("--columns <numbers>", "samples that give some layers (default: 4-9)", numbers)
    .option("--layers <numbers>", "the layers that the columns give (default: 0-3)", numbers)
    .option("--label <class>", "one class for all, by name or number")
    .option("--truncation <psi>", "draw w towards its average: 1 not at all", zeroUp)
    .addHelpText(
      "after",
      "\nExample:\n  duelo mix latest --rows 0-3 --columns 8-13 --layers 0-3 --out mix.png",
    )
    .action(async (run: string, flags: Flags) => {
      const { mixRun } = await import("@duelo/train");
      const { json: _, ...rest } = flags;
      await doAndTell({
        ...{ flags, terminal, doing: "mixing" },
        work: (hooks) => mixRun({ ...said(rest), out: flags.out, run }, hooks),
        text: (r) =>
          `Layers ${r.layers.join(", ")} of the columns, the rest of the rows, by ${r.dir}\n`,
      });
    });
}
