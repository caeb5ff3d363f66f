import { Option, type Command } from "commander";
import { figures, plural, table } from "../format.ts";
import { addRunFlags, doAndTell, leftOut, runHelp, type RunFlags } from "../latent-commands.ts";
import { whole } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends RunFlags {
  readonly space: "w" | "w+";
  readonly steps: number;
  readonly label?: string;
  readonly features: string;
  readonly film: boolean;
}

export function addProject(program: Command, terminal: Terminal): void {
  addRunFlags(
    program
      .command("project")
      .argument("<run>", runHelp)
      .argument("<input>", "a picture, or a folder of them"),
    "a PNG for one picture, or a folder in which names are kept",
  )
    .description("find pictures in W: the latent, what it gives, and a film of the way")
    .addOption(
      new Option(
        "--space <name>",
        "w: one for all layers; w+: one for each, closer but worse to edit",
      )
        .choices(["w", "w+"])
        .default("w"),
    )
    .option("--steps <n>", "steps of the descent", whole(1), 1000)
    .option("--label <class>", "the class whose mean w it begins at, by name or number")
    .option(
      "--features <name>",
      "whose maps are compared beside pixels: emoji-classifier, fashion-classifier, none",
      "emoji-classifier",
    )
    .option("--no-film", "write no film")
    .addHelpText(
      "after",
      "\nExamples:\n  duelo project latest face.png --out found.png\n  duelo project 3 ./faces --space w+ --out found",
    )
    .action(async (run: string, input: string, flags: Flags) => {
      const { projectRun } = await import("@duelo/train");
      const { json: _, ...rest } = flags;
      await doAndTell({
        ...{ flags, terminal, doing: "projecting" },
        work: (hooks) => projectRun({ ...rest, run, input }, hooks),
        text: ({ projections, skipped, dir }) =>
          `${plural(projections.length, "picture")} by ${dir}${leftOut(skipped)}\n` +
          table([
            ["", "distance at first", "in the end", "PSNR (dB)"],
            ...projections.map((p) => [
              ...[p.name, figures(p.before), figures(p.after), figures(p.psnr)],
            ]),
          ]),
      });
    });
}
