import type { ReportOptions } from "./run-record.ts";
import { valueText } from "./words.ts";

/** A word as a POSIX shell (with `$'…'` for control characters) takes it. */
export function shellWord(text: string): string {
  if (/^[\w./:=@%+,-]+$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const inner = text
    .replaceAll(/[\\']/g, (char) => `\\${char}`)
    .replaceAll(
      /\p{Cc}/gu,
      (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`,
    );
  return `$'${inner}'`;
}

/** The share in `dataSettings.holdOut`; 0.1 stands for a named set's own test split, whatever its size. */
function shareOf(holdOut: unknown): number | undefined {
  if (typeof holdOut !== "object" || holdOut === null) return undefined;
  return "share" in holdOut ? Number(holdOut.share) : 0.1;
}

/** The command that trains with the same choices, every option of the recipe spelt out. */
export function trainCommand(options: ReportOptions): string {
  const { recipe, data, preset, dataSettings, budget, seed, shape } = options;
  const [, height, width] = shape;
  const flags: (readonly [flag: string, value: unknown])[] = [
    ["preset", preset],
    ["size", height === undefined || width === undefined ? undefined : `${height}x${width}`],
    ["channels", shape.length === 3 ? shape[0] : undefined],
    ["fit", dataSettings["fit"]],
    ["background", dataSettings["background"]],
    ["limit", dataSettings["limit"]],
    ["hold-out", shareOf(dataSettings["holdOut"])],
    ...Object.entries(options.select).map(
      ([name, value]) => ["select", `${name}=${valueText(value)}`] as const,
    ),
    ...Object.entries(options.options).map(
      ([name, value]) => ["set", `${name}=${valueText(value)}`] as const,
    ),
    ...Object.entries(budget),
    ["eval-every", options.evaluate["every"]],
    ["metric", options.evaluate["metric"]],
    ["features", options.evaluate["features"]],
    ["patience", options.evaluate["patience"]],
    ["seed", seed],
  ];
  const words = flags
    .filter(([, value]) => value !== undefined)
    .map(([flag, value]) => `--${shellWord(flag)} ${shellWord(valueText(value))}`);
  if (dataSettings["flip"] === true) words.push("--flip");
  const first = `duelo train ${shellWord(recipe)} --data ${shellWord(data)}`;
  return [first, ...words].join(" \\\n  ");
}

/** Commands that use a trained run, by what they do. */
export function useCommands(run: string): readonly { about: string; command: string }[] {
  return [
    { about: "Make 64 new samples", command: `duelo sample ${shellWord(run)} -n 64` },
    { about: "Write the generator as one ONNX file", command: `duelo export ${shellWord(run)}` },
  ];
}
