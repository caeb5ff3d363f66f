import type { Command } from "commander";
import { pair, whole } from "../parse.ts";
import type { Terminal } from "../terminal.ts";
import { tuneAndTell } from "../tune-and-tell.ts";
import {
  addDataOptions,
  addMachineOptions,
  dataRequest,
  machineRequest,
  type DataFlags,
  type MachineFlags,
} from "./train.ts";

export function addTune(program: Command, terminal: Terminal): void {
  const command = program
    .command("tune")
    .description("search for good options of a recipe; the same command goes on")
    .argument("<recipe>", "its name; duelo list has them all")
    .option(
      "--over <key=range>",
      "an option to search: lr=1e-5..1e-2, or width=16,32,64; may be repeated",
      pair,
    )
    .option("--trials <n>", "trials to begin with", whole(2), 9)
    .option(
      "--budget-steps <n>",
      "steps of each trial in the first round (default: so that the last one ends at the preset's)",
      whole(1),
    )
    .option("--metric <name>", "by what trials are compared")
    .option("--tunes <folder>", "folder of search folders", "tunes");
  addMachineOptions(addDataOptions(command))
    .addHelpText(
      "after",
      "\nExample:\n  duelo tune dcgan --data ./photos --over lr=1e-5..1e-2 --over width=16,32,64",
    )
    .action(async (recipe: string, flags: TuneFlags) => {
      const { readRange } = await import("@duelo/train");
      const { trials, budgetSteps, metric, tunes } = flags;
      const over = Object.entries(flags.over ?? {}).map(
        ([name, text]) => [name, readRange(name, text)] as const,
      );
      const request = {
        ...dataRequest(recipe, flags),
        ...machineRequest(flags),
        ...{ over: Object.fromEntries(over), trials, tunes },
        ...(budgetSteps === undefined ? {} : { firstSteps: budgetSteps }),
        ...(metric === undefined ? {} : { metric }),
      };
      await tuneAndTell({ request, flags, terminal });
    });
}

interface TuneFlags extends DataFlags, MachineFlags {
  readonly over?: Record<string, string>;
  readonly trials: number;
  readonly budgetSteps?: number;
  readonly metric?: string;
  readonly tunes: string;
}
