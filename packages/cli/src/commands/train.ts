import { Option, type Command } from "commander";
import type { Budget, TrainRequest } from "@duelo/train";
import { cacheDir } from "../cache-dir.ts";
import { channels, pair, part, positive, share, size, whole } from "../parse.ts";
import type { Terminal } from "../terminal.ts";
import { trainAndTell } from "../train-and-tell.ts";

export function addTrain(program: Command, terminal: Terminal): void {
  const command = program
    .command("train")
    .description("train a recipe on your data; the same command resumes")
    .argument("<recipe>", "its name; duelo list has them all");
  addRunOptions(addDataOptions(command))
    .option("--eval-every <steps>", "judge the samples so often, and keep the best", whole(1))
    .option("--metric <name>", "what decides which is best; duelo eval --metrics list")
    .option("--features <name>", "what it compares images by: a name, or the file of a network")
    .option("--patience <n>", "stop after so many evaluations without a better one", whole(1))
    .addHelpText(
      "after",
      "\nExamples:\n  duelo train dcgan --data ./photos --minutes 30\n  duelo train cgan --data fashion-mnist --set lr=1e-4 --seed 1",
    )
    .action(async (recipe: string, flags: TrainFlags) => {
      await trainAndTell({ request: await requestOf(recipe, flags), flags, terminal });
    });
}

/** What every command takes that trains what the user names: the data, and choices of the recipe. */
export function addDataOptions(command: Command): Command {
  return command
    .requiredOption("--data <set>", "a named set, a folder of pictures, or a file")
    .option("--preset <name>", "a choice of options; duelo show RECIPE has them all")
    .option("--set <key=value>", "an option of the recipe; may be repeated", pair)
    .option("--size <pixels>", "image size: 64, or HEIGHTxWIDTH", size)
    .option("--channels <n>", "1 grey, 3 colour, 4 colour and alpha", channels)
    .addOption(
      new Option("--fit <how>", "how pictures of another shape are fitted (default: crop)").choices(
        ["crop", "pad", "stretch"],
      ),
    )
    .option("--background <colour>", "the colour under transparent pixels (default: white)")
    .option("--flip", "add the mirror image of every picture")
    .option("--no-flip", "add none, where the recipe would")
    .option("--jitter <pixels>", "decode so much larger and cut at random places", whole(0))
    .option("--limit <n>", "use at most so many records", whole(1))
    .option("--hold-out <share>", "never train on this share of the records, such as 0.1", share)
    .option("--select <key=value>", "narrow a named set, such as group=flags", pair)
    .option("--to <set>", "the other set, of a recipe that translates")
    .option("--to-select <key=value>", "narrow the other set", pair)
    .option("--to-channels <n>", "channels of the other set", channels)
    .addOption(
      new Option("--derive <how>", "make pairs from one set").choices([
        "halves",
        "grey",
        "x2",
        "x4",
      ]),
    );
}

/** What every command that trains one run takes: how long, and all that `addMachineOptions` adds. */
export function addRunOptions(command: Command): Command {
  return addMachineOptions(command)
    .addOption(new Option("--steps <n>", "train for so many steps").argParser(whole(1)))
    .addOption(
      new Option("--images <n>", "train for so many records")
        .argParser(whole(1))
        .conflicts("steps"),
    )
    .addOption(
      new Option("--minutes <n>", "train for so many minutes")
        .argParser(positive)
        .conflicts(["steps", "images"]),
    )
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--dry-run", "print what would be trained, and train nothing");
}

/** What every command that trains takes: where random numbers come from, where it runs, how it is told. */
export function addMachineOptions(command: Command): Command {
  return command
    .option("--seed <n>", "where all random numbers come from (default: 0)", whole(0))
    .addOption(
      new Option("--device <name>", "where to compute (default: cpu)").choices([
        "cpu",
        "webgpu",
        "cuda",
      ]),
    )
    .option("--threads <n>", "CPU threads (default: one for each core)", whole(1))
    .addOption(
      new Option(
        "--checkpoint-seconds <n>",
        "seconds between two checkpoints (default: 60)",
      ).argParser(positive),
    )
    .addOption(
      new Option(
        "--on-divergence <what>",
        "when weights run away: stop, or rollback with a lower learning rate (default: stop)",
      ).choices(["stop", "rollback"]),
    )
    .addOption(
      new Option(
        "--probe-share <part>",
        "the part of the time for looking at samples, 0 to 1 (default: 0.03)",
      ).argParser(part),
    )
    .option("--new", "begin another, where the same command would go on")
    .option("--json", "write one JSON object a line to stdout");
}

export interface RunFlags extends MachineFlags {
  readonly steps?: number;
  readonly images?: number;
  readonly minutes?: number;
  readonly runs: string;
  readonly dryRun?: true;
}

export interface MachineFlags {
  readonly seed?: number;
  readonly device?: "cpu" | "webgpu" | "cuda";
  readonly threads?: number;
  readonly checkpointSeconds?: number;
  readonly onDivergence?: "stop" | "rollback";
  readonly probeShare?: number;
  readonly new?: true;
  readonly json?: true;
}

export interface DataFlags {
  readonly data: string;
  readonly preset?: string;
  readonly set?: Record<string, string>;
  readonly size?: { height: number; width: number };
  readonly channels?: 1 | 3 | 4;
  readonly fit?: "crop" | "pad" | "stretch";
  readonly background?: string;
  readonly flip?: boolean;
  readonly jitter?: number;
  readonly limit?: number;
  readonly holdOut?: number;
  readonly select?: Record<string, string>;
  readonly to?: string;
  readonly toSelect?: Record<string, string>;
  readonly toChannels?: 1 | 3 | 4;
  readonly derive?: "halves" | "grey" | "x2" | "x4";
}

interface TrainFlags extends RunFlags, DataFlags {
  readonly evalEvery?: number;
  readonly metric?: string;
  readonly features?: string;
  readonly patience?: number;
}

async function requestOf(recipe: string, flags: TrainFlags): Promise<TrainRequest> {
  const evaluate = await evaluationOf(flags);
  return { ...runRequest(flags), ...dataRequest(recipe, flags), ...defined({ evaluate }) };
}

/** The part of a request that `addDataOptions` asks for. */
export function dataRequest(recipe: string, flags: DataFlags): Omit<TrainRequest, "cacheDir"> {
  const { data, preset, set, size: pixels, channels, fit, background, flip } = flags;
  const { limit, holdOut, select, jitter, to, toSelect, toChannels, derive } = flags;
  return {
    recipe,
    data,
    ...pixels,
    ...defined({ preset, set, channels, fit, background, flip, limit, holdOut, select }),
    ...defined({ jitter, to, toSelect, toChannels, derive }),
  };
}

async function evaluationOf({
  evalEvery,
  metric,
  features,
  patience,
}: TrainFlags): Promise<TrainRequest["evaluate"]> {
  if (evalEvery !== undefined)
    return { every: evalEvery, ...defined({ metric, features, patience }) };
  const [alone] =
    Object.entries({ metric, features, patience }).find(([, v]) => v !== undefined) ?? [];
  if (alone === undefined) return undefined;
  const { UserError } = await import("@duelo/core"); // only now: help loads nothing heavy
  throw new UserError(`--${alone} needs evaluations to look at; give --eval-every STEPS too.`);
}

/** The part of a request that `addRunOptions` asks for. */
export function runRequest(flags: RunFlags): Omit<TrainRequest, "recipe" | "data"> {
  const budget = budgetOf(flags);
  return { runs: flags.runs, ...machineRequest(flags), ...defined({ budget }) };
}

/** The part of a request that `addMachineOptions` asks for. */
export function machineRequest(flags: MachineFlags): Omit<TrainRequest, "recipe" | "data"> {
  const { seed, device, threads, checkpointSeconds, onDivergence, probeShare } = flags;
  return {
    cacheDir: cacheDir(),
    ...defined({ seed, device, threads, checkpointSeconds, fresh: flags.new }),
    ...defined({ onDivergence, probeShare }),
  };
}

function budgetOf({ steps, images, minutes }: RunFlags): Budget | undefined {
  if (steps !== undefined) return { steps };
  if (images !== undefined) return { images };
  return minutes === undefined ? undefined : { minutes };
}

/** Leaves out what was not given. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
