import type { Command } from "commander";
import { plural } from "../format.ts";
import { doAndTell, said } from "../latent-commands.ts";
import { whole, zeroUp } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

export function addSample(program: Command, terminal: Terminal): void {
  program
    .command("sample")
    .description("make samples with the generator of a run")
    .argument("<run>", "its number, its name, latest, or the path of its folder")
    .option("-n, --number <n>", "how many", whole(1, 1_000_000), 64)
    .option("--label <class>", "one class for all, by name or number")
    .option(
      "--truncation <t>",
      "smaller is safer and more alike: of w, 1 leaves it; else z is kept within -t to t",
      zeroUp,
    )
    .option("--seed <n>", "which samples", whole(0), 0)
    .option("--grid <file>", "the PNG to write them to (default: NAME-OF-RUN.png)")
    .option("--out <folder>", "write each to a file of its own instead")
    .option("--threads <n>", "CPU threads (default: one for each core)", whole(1))
    .option("--best", "the best checkpoint of the run, not the last")
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--json", "print what was done as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  duelo sample latest --grid faces.png\n  duelo sample 0003 -n 1000 --label Sneaker --out sneakers",
    )
    .action(async (run: string, flags: SampleFlags) => {
      const { writeSamples } = await import("../write-samples.ts");
      const { number, label, truncation, json: _, ...rest } = flags;
      const request = { ...rest, run, n: number, ...said({ label, truncation }) };
      await doAndTell({
        ...{ flags, terminal, doing: "sampling" },
        work: async (hooks) => ({ ...(await writeSamples({ ...request, ...hooks })), n: number }),
        text: ({ dir }) => `${plural(number, "sample")} of ${dir}\n`,
      });
    });
}

interface SampleFlags {
  readonly number: number;
  readonly label?: string;
  readonly truncation?: number;
  readonly seed: number;
  readonly grid?: string;
  readonly out?: string;
  readonly threads?: number;
  readonly best?: true;
  readonly runs: string;
  readonly json?: true;
}
