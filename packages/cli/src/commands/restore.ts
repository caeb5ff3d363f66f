import { Option, type Command } from "commander";
import { figures, plural, table } from "../format.ts";
import { addRunFlags, doAndTell, leftOut, runHelp, type RunFlags } from "../latent-commands.ts";
import { whole, zeroUp } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends RunFlags {
  readonly degraded: string;
  readonly truth?: string;
  readonly space: "w" | "w+";
  readonly steps: number;
  readonly prior: number;
  readonly label?: string;
}

export function addRestore(program: Command, terminal: Terminal): void {
  addRunFlags(
    program
      .command("restore")
      .argument("<run>", runHelp)
      .argument("<input>", "a picture, or a folder of them"),
    "a PNG for one picture, or a folder in which names are kept",
  )
    .description("put pictures right that are grey, small or lack a part, by what a run can make")
    .requiredOption("--degraded <how>", "grey, small, or mask=FILE, white where nothing is known")
    .option("--truth <place>", "what they were before, to say how far the result is from it")
    .addOption(
      new Option("--space <name>", "w: one for all layers; w+: one for each")
        .choices(["w", "w+"])
        .default("w"),
    )
    .option("--steps <n>", "steps of the descent", whole(1), 1000)
    .option("--prior <n>", "what an unusual w costs; 0 leaves it free", zeroUp, 0.1)
    .option("--label <class>", "the class whose mean w it begins at, by name or number")
    .addHelpText(
      "after",
      "\nExamples:\n  duelo restore latest old.png --degraded grey --out coloured.png\n  duelo restore 3 ./torn --degraded mask=hole.png --out whole",
    )
    .action(async (run: string, input: string, flags: Flags) => {
      const { restoreRun } = await import("@duelo/train");
      const { json: _, ...rest } = flags;
      await doAndTell({
        ...{ flags, terminal, doing: "restoring" },
        work: (hooks) => restoreRun({ ...rest, run, input }, hooks),
        text: ({ restorations, skipped, dir }) =>
          `${plural(restorations.length, "picture")} by ${dir}${leftOut(skipped)}\n` +
          table([
            ["", "distance at first", "in the end", "PSNR given (dB)", "restored"],
            ...restorations.map((r) => [
              ...[r.name, figures(r.before), figures(r.after)],
              ...(r.truth ? [figures(r.truth.given), figures(r.truth.restored)] : ["–", "–"]),
            ]),
          ]),
      });
    });
}
