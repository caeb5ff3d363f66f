import type { Command } from "commander";
import type { TranslateRequest } from "@duelo/train";
import { plural } from "../format.ts";
import { doAndTell, leftOut } from "../latent-commands.ts";
import { whole } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

interface Flags {
  readonly to?: string;
  readonly out: string;
  readonly seed?: number;
  readonly best?: boolean;
  readonly threads?: number;
  readonly runs: string;
  readonly json?: true;
}

export function addTranslate(program: Command, terminal: Terminal): void {
  common(program.command("translate"))
    .description("make pictures of one domain into those of another by a run, at the run's size")
    .option("--to <domain>", "B (the default), A, or a domain of stargan by name")
    .addHelpText(
      "after",
      "\nExamples:\n  duelo translate latest photo.jpg --out painted.png\n  duelo translate 0003 ./icons --to fill --out filled",
    )
    .action(async (run: string, input: string, flags: Flags) =>
      tell({ ...flags, run, input }, terminal),
    );
}

export function addColorize(program: Command, terminal: Terminal): void {
  common(program.command("colorize"))
    .description("give grey pictures colours by a run, at their own size")
    .addHelpText("after", "\nExample:\n  duelo colorize latest ./grey --out coloured")
    .action(async (run: string, input: string, flags: Flags) =>
      tell({ ...flags, run, input, colours: true }, terminal),
    );
}

const common = (command: Command): Command =>
  command
    .argument("<run>", "its number, its name, latest, or the path of its folder")
    .argument("<input>", "a picture, or a folder of them")
    .requiredOption("--out <place>", "a PNG for one picture, or a folder in which names are kept")
    .option("--seed <n>", "of the noise that the network takes (default: 0)", whole(0))
    .option("--best", "the best checkpoint of the run, not the last")
    .option("--threads <n>", "CPU threads (default: one for each core)", whole(1))
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--json", "print what was written as JSON");

async function tell(
  request: TranslateRequest & { json?: true },
  terminal: Terminal,
): Promise<void> {
  const { translateRun } = await import("@duelo/train");
  const { json: _, ...asked } = request;
  await doAndTell({
    ...{ flags: request, terminal, doing: "translating" },
    work: (hooks) => translateRun(asked, hooks),
    text: ({ written, skipped, dir }) =>
      `${plural(written.length, "picture")} by ${dir}${leftOut(skipped)}\n`,
  });
}
