import { Option, type Command } from "commander";
import type { Edited, EditRequest } from "@duelo/train";
import { cacheDir } from "../cache-dir.ts";
import { figures, table } from "../format.ts";
import { addRunFlags, doAndTell, runHelp, said, type RunFlags } from "../latent-commands.ts";
import { numbers, pair, positive, two, twos, whole, zeroUp } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends RunFlags {
  readonly by: EditRequest["by"];
  readonly direction?: string;
  readonly layers?: readonly number[];
  readonly strength: number;
  readonly samples?: readonly number[];
  readonly latents?: string;
  readonly attribute?: string;
  readonly select?: Readonly<Record<string, string>>;
  readonly between?: [string, string];
  readonly keep?: [string, string][];
  readonly features?: string;
  readonly label?: string;
  readonly truncation?: number;
  readonly measure?: number;
  readonly from: number;
}

export function addEdit(program: Command, terminal: Terminal): void {
  addRunFlags(program.command("edit").argument("<run>", runHelp), "the PNG to write")
    .description("change samples or projected pictures along a direction, and draw a table of it")
    .addOption(
      new Option("--by <how>", "how the direction is found")
        .choices(["sefa", "pca", "labels", "latents", "channel"])
        .default("sefa"),
    )
    .option(
      "--direction <name>",
      "a number of sefa or pca, LAYER.CHANNEL of channel (default: the first five)",
    )
    .option(
      "--layers <numbers>",
      "the layers that are changed, such as 0-3 (default: all)",
      numbers,
    )
    .option("--strength <n>", "standard deviations, both ways, to 1,000", positive, 3)
    .option("--samples <numbers>", "samples as duelo sample counts them (default: 0-4)", numbers)
    .option("--latents <place>", "latents of duelo project in their place: a file or a folder")
    .option("--attribute <set>", "labelled pictures: a named set, or a folder of class folders")
    .option("--select <key=value>", "narrow a named set, such as tone=all", pair)
    .option(
      "--between <a,b>",
      "two classes, or words of captions; of --by latents, two folders",
      two,
    )
    .option("--keep <a,b>", "what is to stay, of the same set; may be repeated", twos)
    .option(
      "--features <name>",
      "what it measures by, a name or an ONNX file (default: emoji-classifier)",
    )
    .option("--label <class>", "one class for all, by name or number")
    .option("--truncation <psi>", "draw w towards its average: 1 not at all", zeroUp)
    .option("--measure <n>", "samples that it is measured on (default: 64)", whole(2, 10_000))
    .option("--from <n>", "samples that directions are found from", whole(40, 100_000), 2000)
    .addHelpText(
      "after",
      "\nExamples:\n  duelo edit latest --by sefa --out first-five.png\n  duelo edit latest --by pca --direction 2 --layers 0-3 --out edit.png\n  duelo edit latest --by labels --attribute emoji --select tone=all --between woman,man --out edit.png",
    )
    .action(async (run: string, flags: Flags) => {
      const { editRun } = await import("@duelo/train");
      await checkAttribute(flags);
      await doAndTell({
        ...{ flags, terminal, doing: "measuring" },
        work: (hooks) => editRun(requestOf(run, flags), hooks),
        text: editText,
      });
    });
}

function requestOf(run: string, flags: Flags): EditRequest {
  const { samples, attribute, select, between, keep = [], measure, from, json: _, ...rest } = flags;
  const of = (sides: readonly [string, string]) => ({
    data: attribute ?? "",
    between: sides,
    ...(select === undefined ? {} : { select }),
  });
  const [positive, negative] = flags.by === "latents" ? (between ?? []) : [];
  return {
    ...{ ...rest, run, cacheDir: cacheDir(), nSamples: from },
    ...said({ numbers: samples, positive, negative, nMeasured: measure }),
    ...(attribute !== undefined && between !== undefined && flags.by !== "latents"
      ? { attribute: of(between) }
      : {}),
    ...(keep.length === 0 ? {} : { keep: keep.map(of) }),
  };
}

async function checkAttribute({ by, attribute, between, keep, select }: Flags): Promise<void> {
  const { UserError } = await import("@duelo/core"); // only now: help loads nothing heavy
  if (attribute === undefined && select !== undefined)
    throw new UserError("Say which set --select is to narrow with --attribute SET.");
  if (attribute === undefined && keep !== undefined)
    throw new UserError("Say which pictures --keep is about with --attribute SET.");
  if (attribute === undefined && between !== undefined && by !== "latents")
    throw new UserError("Say which pictures --between is about with --attribute SET.");
  if (attribute !== undefined && by === "latents" && keep === undefined)
    throw new UserError(
      "Of --by latents, --between names two folders, and --attribute serves --keep alone.",
    );
  if (attribute !== undefined && between === undefined && keep === undefined)
    throw new UserError(
      "Say what of --attribute to tell apart with --between A,B: two classes, or words of captions.",
    );
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** What an edit did, for a person. */
export function editText({ direction, layers, attribute, effects, features, dir }: Edited): string {
  const plane =
    direction.plane === undefined
      ? ""
      : `, whose plane is right for ${percent(direction.plane.accuracy)} of ${direction.plane.nTested} that it was not fitted to`;
  const head = `${direction.name}${plane}; layers ${layers.join(", ")}, by ${dir}\n`;
  if (effects.length === 0) return head;
  const known =
    attribute === undefined
      ? ""
      : `${attribute.name}: ${attribute.nPositive} and ${attribute.nNegative} pictures, right for ${percent(attribute.accuracy)} of ${attribute.nTested} of them that it did not learn from\n`;
  const rows = effects.map((e) => [
    `${e.strength > 0 ? "+" : ""}${figures(e.strength)}`,
    ...(e.attribute ? [percent(e.attribute.share), figures(e.attribute.score)] : []),
    figures(e.identity),
  ]);
  const columns = attribute === undefined ? [] : ["has it", "how far"];
  return `${head}${known}${table([["strength", ...columns, `identity (${features})`], ...rows])}`;
}
