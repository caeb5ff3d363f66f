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

type Flag = readonly [flag: string, value: unknown];

/** What `--data` and its companions were, or what the folder tells of them. */
function dataFlags({ data, dataRequest, dataSettings, shape, select }: ReportOptions): Flag[] {
  const [first, second] = Object.values(dataRequest);
  const { spec = data, jitter, pair = second } = first ?? {};
  const flip = first?.flip ?? (dataSettings["flip"] === true ? true : undefined);
  const [height, width] =
    first?.height === undefined ? shape.slice(1) : [first.height, first.width];
  const { fit, background, limit } = dataSettings;
  const pairs = (flag: string, values: Readonly<Record<string, unknown>> = {}): Flag[] =>
    Object.entries(values).map(([name, value]) => [flag, `${name}=${valueText(value)}`]);
  return [
    ["data", spec],
    ...pairs("select", first?.select ?? select),
    ["size", height === undefined || width === undefined ? undefined : `${height}x${width}`],
    ["channels", first?.channels ?? (shape.length === 3 ? shape[0] : undefined)],
    ...Object.entries({ fit, background, limit }),
    ["hold-out", first?.holdOut],
    ...(flip === undefined ? [] : [[flip ? "flip" : "no-flip", true] as const]),
    ["jitter", jitter ?? (pair === undefined ? undefined : 0)],
    ["to", pair?.spec],
    ...pairs("to-select", pair?.select),
    ["to-channels", pair?.channels],
    ["derive", first?.pair?.derive],
  ];
}

/** The command that trains with the same choices, every option of the recipe spelt out. */
export function trainCommand(options: ReportOptions): string {
  const { recipe, preset, budget, evaluate, seed, device, threads, onDivergence } = options;
  const flags: Flag[] = [
    ...dataFlags(options),
    ["preset", preset],
    ...Object.entries(options.options).map(
      ([name, value]) => ["set", `${name}=${valueText(value)}`] as const,
    ),
    ...Object.entries(budget),
    ["eval-every", evaluate["every"]],
    ["metric", evaluate["metric"]],
    ["features", evaluate["features"]],
    ["patience", evaluate["patience"]],
    ["seed", seed],
    ["device", device],
    ["threads", threads],
    ["on-divergence", onDivergence],
  ];
  const [data = "", ...words] = flags
    .filter(([, value]) => value !== undefined)
    .map(([flag, value]) =>
      value === true ? `--${flag}` : `--${shellWord(flag)} ${shellWord(valueText(value))}`,
    );
  return [`duelo train ${shellWord(recipe)} ${data}`, ...words].join(" \\\n  ");
}

/** Commands that use a trained run, by what they do. */
export function useCommands(run: string): readonly { about: string; command: string }[] {
  return [
    { about: "Make 64 new samples", command: `duelo sample ${shellWord(run)} -n 64` },
    { about: "Write the generator as one ONNX file", command: `duelo export ${shellWord(run)}` },
  ];
}
