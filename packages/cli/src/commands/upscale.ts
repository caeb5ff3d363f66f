import type { Command } from "commander";
import type { UpscaleRequest } from "@duelo/train";
import { plural } from "../format.ts";
import { doAndTell, leftOut } from "../latent-commands.ts";
import { whole } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

type Flags = Omit<UpscaleRequest, "run" | "input"> & { readonly json?: true };

export function addUpscale(program: Command, terminal: Terminal): void {
  program
    .command("upscale")
    .description("make pictures four times as large by a run of srgan or esrgan")
    .argument("<run>", "its number, its name, latest, or the path of its folder")
    .argument("<input>", "a picture of any size, or a folder of them")
    .requiredOption("--out <place>", "a PNG for one picture, or a folder in which names are kept")
    .option("--scale <n>", "what the run was trained for: 4", whole(1))
    .option(
      "--overlap <pixels>",
      "of the input, around what is kept of a tile (default: 16)",
      whole(0),
    )
    .option("--best", "the best checkpoint of the run, not the last")
    .option("--threads <n>", "CPU threads (default: one for each core)", whole(1))
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  duelo upscale latest photo.jpg --out large.png\n  duelo upscale 0003 ./icons --scale 4 --out large",
    )
    .action(async (run: string, input: string, flags: Flags) => {
      const { upscaleRun } = await import("@duelo/train");
      const { json: _, ...asked } = flags;
      await doAndTell({
        ...{ flags, terminal, doing: "upscaling" },
        work: (hooks) => upscaleRun({ ...asked, run, input }, hooks),
        text: ({ written, skipped, dir }) =>
          `${plural(written.length, "picture")} by ${dir}${leftOut(skipped)}\n`,
      });
    });
}
