import type { Command } from "commander";
import { addRunFlags, doAndTell, runHelp, said, type RunFlags } from "../latent-commands.ts";
import { numbers, values } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends RunFlags {
  readonly samples?: readonly number[];
  readonly values?: readonly number[];
  readonly label?: string;
}

export function addTruncate(program: Command, terminal: Terminal): void {
  addRunFlags(program.command("truncate").argument("<run>", runHelp), "the PNG to write")
    .description("draw samples at several truncations, side by side")
    .option("--samples <numbers>", "samples as duelo sample counts them (default: 0-3)", numbers)
    .option(
      "--values <numbers>",
      "truncations: of w, 1 leaves it, 0 gives the average and -1 its opposite; else the bound of z, from 0.05",
      values,
    )
    .option("--label <class>", "one class for all, by name or number")
    .addHelpText(
      "after",
      "\nExample:\n  duelo truncate latest --values 0,0.3,0.6,1 --samples 0-5 --out truncated.png",
    )
    .action(async (run: string, flags: Flags) => {
      const { truncateRun } = await import("@duelo/train");
      const { samples, json: _, ...rest } = flags;
      await doAndTell({
        ...{ flags, terminal, doing: "drawing" },
        work: (hooks) => truncateRun({ ...rest, run, ...said({ numbers: samples }) }, hooks),
        text: (r) => `Truncations ${r.values.join(", ")} in ${r.space}, by ${r.dir}\n`,
      });
    });
}
