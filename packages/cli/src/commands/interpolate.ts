import { Option, type Command } from "commander";
import { plural } from "../format.ts";
import { addRunFlags, doAndTell, runHelp, said, type RunFlags } from "../latent-commands.ts";
import { between, numbers, whole, zeroUp } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends RunFlags {
  readonly samples?: readonly number[];
  readonly latents?: string;
  readonly space?: "z" | "w";
  readonly along?: "slerp" | "lerp";
  readonly frames: number;
  readonly fps: number;
  readonly label?: string;
  readonly truncation?: number;
}

export function addInterpolate(program: Command, terminal: Terminal): void {
  addRunFlags(
    program.command("interpolate").argument("<run>", runHelp),
    ".webp, .gif or .mp4 for a film that goes round; .png for a row of pictures each",
  )
    .description("go from sample to sample, as a film or as rows of pictures")
    .option("--samples <numbers>", "samples as duelo sample counts them (default: 0-3)", numbers)
    .option("--latents <place>", "latents of duelo project in their place: a file or a folder")
    .addOption(
      new Option("--space <name>", "where to go (default: w where there is one)").choices([
        "z",
        "w",
      ]),
    )
    .addOption(
      new Option(
        "--along <how>",
        "the arc or the line (default: slerp in normal z, lerp in uniform z and in w)",
      ).choices(["slerp", "lerp"]),
    )
    .option("--frames <n>", "frames from one to the next", whole(1, 1000), 16)
    .option("--fps <n>", "frames a second", between(0.1, 100), 16)
    .option("--label <class>", "one class for all, by name or number")
    .option("--truncation <psi>", "draw w towards its average: 1 not at all", zeroUp)
    .addHelpText(
      "after",
      "\nExamples:\n  duelo interpolate latest --out walk.webp\n  duelo interpolate 3 --samples 5,17,40 --space z --out walk.gif",
    )
    .action(async (run: string, flags: Flags) => {
      const { interpolateRun } = await import("@duelo/train");
      const { samples, fps, json: _, ...rest } = flags;
      const request = { ...rest, run, framesPerSecond: fps, ...said({ numbers: samples }) };
      await doAndTell({
        ...{ flags, terminal, doing: "drawing" },
        work: (hooks) => interpolateRun(request, hooks),
        text: (r) => `${plural(r.nFrames, "frame")} in ${r.space} (${r.along}) by ${r.dir}\n`,
      });
    });
}
