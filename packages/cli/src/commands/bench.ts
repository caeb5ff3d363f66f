import { Option, type Command } from "commander";
import { figures, byteSize, table } from "../format.ts";
import { pair, size, whole } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

export function addBench(program: Command, terminal: Terminal): void {
  program
    .command("bench")
    .description("measure how fast this machine trains a recipe")
    .argument("[recipe]", "its name", "dcgan")
    .option(
      "--data <set>",
      "a named set, a folder of pictures, or a file (default: emoji, or ring8)",
    )
    .option("--preset <name>", "a choice of options")
    .option("--set <key=value>", "an option of the recipe; may be repeated", pair)
    .option("--size <pixels>", "image size: 64, or HEIGHTxWIDTH", size)
    .option("--steps <n>", "steps to measure, after 2 that are not", whole(1), 7)
    .addOption(new Option("--device <name>", "where to compute").choices(["cpu", "webgpu", "cuda"]))
    .option("--threads <n>", "CPU threads", whole(1))
    .option("--json", "print it as JSON")
    .addHelpText("after", "\nExample:\n  duelo bench dcgan --preset paper --set batch=64")
    .action(async (recipe: string, { json, size: pixels, steps, ...flags }: BenchFlags) => {
      const { measure } = await import("../measure.ts");
      const m = await measure({ recipe, nSteps: steps, ...flags, ...pixels });
      const rows = [
        ["recipe", `${m.recipe}, preset ${m.preset}, batch ${m.batch} of [${m.shape.join(", ")}]`],
        ["device", `${m.device}, ${m.threads} threads`],
        ["step", `${figures(m.stepMs)} ms (median of ${m.nSteps})`],
        ["speed", `${figures(m.recordsPerSecond)} records/s`],
        ["memory", `${byteSize(m.peakBytes)} at most`],
      ];
      terminal.out(json ? `${JSON.stringify(m)}\n` : table(rows));
    });
}

interface BenchFlags {
  readonly data?: string;
  readonly preset?: string;
  readonly set?: Record<string, string>;
  readonly size?: { height: number; width: number };
  readonly steps: number;
  readonly device?: "cpu" | "webgpu" | "cuda";
  readonly threads?: number;
  readonly json?: true;
}
