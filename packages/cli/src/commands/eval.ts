import { InvalidArgumentError, type Command } from "commander";
import { channels, size, whole } from "../parse.ts";
import type { EvalFlags } from "../evaluate-and-tell.ts";
import type { Terminal } from "../terminal.ts";

export function addEval(program: Command, terminal: Terminal): void {
  program
    .command("eval")
    .description("judge a run, or any folder of samples, against data")
    .argument("[samples]", "a run (number, name, latest, folder), or a set of samples")
    .option("--against <set>", "a named set, a folder or a file (default: the run's own data)")
    .option("--metrics <names>", "such as frechet,kernel; or list (default: all that fit)", names)
    .option(
      "--features <name>",
      "what images are compared by, a name or an ONNX file; --metrics list has them all",
    )
    .option(
      "-n, --number <n>",
      "how many samples; of the reference up to 10,000, or as many",
      whole(2),
    )
    .option("--seed <n>", "which samples", whole(0), 0)
    .option("--best", "the best checkpoint of the run, not the last")
    .option("--size <pixels>", "bring all images to this size: 64, or HEIGHTxWIDTH", size)
    .option("--channels <n>", "bring all images to 1 grey, 3 colour, 4 colour and alpha", channels)
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--out <file>", "write a page of it too")
    .option("--json", "print it as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  duelo eval latest\n  duelo eval ./made --against ./photos --size 64\n  duelo eval --metrics list",
    )
    .action(async (samples: string | undefined, flags: EvalFlags) => {
      const { evaluateAndTell } = await import("../evaluate-and-tell.ts");
      await evaluateAndTell({ samples, flags, terminal });
    });
}

function names(text: string): string[] {
  const found = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (found.length === 0) throw new InvalidArgumentError("It takes names of metrics.");
  return found;
}
