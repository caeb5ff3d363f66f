import { onDisk } from "../run/disk-failure.ts";
import { commitFile, nodeFileSystem, writeAll } from "../run/file-system.ts";
import { browserSnippet, type SnippetOptions } from "./browser-snippet.ts";
import { shellWord, trainCommand, useCommands } from "./commands.ts";
import { readRun, type RunRecord } from "./run-record.ts";
import { dataText, effortText, scoresText } from "./summary.ts";
import { numberText, valueText } from "./words.ts";

export interface ModelCardOptions {
  /** A run folder. */
  readonly dir: string;
  /** What its `G.onnx` takes and gives, where it makes samples. */
  readonly generator: SnippetOptions | undefined;
  /** What can be asked of the trained nets, by name. */
  readonly functions: Readonly<Record<string, { readonly about: string }>>;
}

/**
 * Writes `model-card.md` of a run folder from its options and its log, as Hugging Face's model
 * repositories take it (there it is called README.md), and gives its path. The license is left to
 * whoever publishes the model.
 * @throws UserError when `dir` is not a run folder
 * @throws FailureError when the card cannot be written, e.g. on a full disk
 */
export async function writeModelCard(options: ModelCardOptions): Promise<string> {
  const { dir } = options;
  const card = modelCard(await readRun(dir), options);
  const name = "model-card.md";
  const path = `${dir}/${name}`;
  await onDisk({ task: `write ${path}`, safe: "The run itself is safe." }, () =>
    commitFile(nodeFileSystem, { dir, name }, (file) =>
      writeAll(file, new TextEncoder().encode(card), 0),
    ),
  );
  return path;
}

function modelCard(run: RunRecord, parts: ModelCardOptions): string {
  const { options } = run;
  const last = run.samples.at(-1);
  return (
    [
      frontMatter(run, parts.generator),
      `# ${plain(options.recipe)} on ${plain(options.data)}`,
      ...(last ? [`![Samples at step ${numberText(last.step)}](${last.path})`] : []),
      ...training(run),
      ...usage(run, parts),
      ...limits(run),
    ].join("\n\n") + "\n"
  );
}

const makesImages = ({ options }: RunRecord): boolean => options.shape.length === 3;

/** YAML; JSON strings are YAML strings too, so that no name breaks out of its line. */
function frontMatter(run: RunRecord, generator: SnippetOptions | undefined): string {
  const { options } = run;
  const fromImages = generator?.inputs.some(({ kind }) => kind === "image") === true;
  const task = fromImages ? "image-to-image" : "unconditional-image-generation";
  return [
    "---",
    "# license: yours to choose; look first at what the license of the training data asks",
    "library_name: duelo",
    ...(generator && makesImages(run) ? [`pipeline_tag: ${task}`] : []),
    "tags:",
    ...["duelo", "onnx", options.recipe].map((tag) => `- ${JSON.stringify(tag)}`),
    "datasets:",
    `- ${JSON.stringify(options.data)}`,
    "---",
  ].join("\n");
}

function training(run: RunRecord): string[] {
  const { options } = run;
  const idea = options.about === undefined ? "" : `, ${options.about}`;
  const paper = options.paper === undefined ? "" : ` (${options.paper})`;
  const scores = scoresText(run);
  const rows = Object.entries({ ...options.options, ...options.dataSettings });
  return [
    "## Training",
    plain(
      `${options.recipe}${idea}${paper}, trained with Duelo on ${dataText(options)}: ${effortText(run)}.`,
    ),
    ...(scores === "" ? [] : [plain(`Means over the last tenth of the log: ${scores}.`)]),
    [
      "| option | value |",
      "| --- | --- |",
      ...rows.map(([name, value]) => `| ${plain(name)} | ${plain(valueText(value))} |`),
    ].join("\n"),
    "The same training again:",
    fence("sh", trainCommand(options)),
  ];
}

function usage({ name, options }: RunRecord, parts: ModelCardOptions): string[] {
  const { generator } = parts;
  const commands = useCommands(name).flatMap(({ about, command }) => [
    `${about}:`,
    fence("sh", command),
  ]);
  const others = Object.entries(parts.functions).filter(([f]) => f !== "sample");
  const list = others.map(([f, { about }]) => `- ${plain(f)}: ${plain(about)}`).join("\n");
  return [
    "## Use",
    ...(generator ? [...commands, ...inBrowser(generator, options.classes)] : []),
    ...(others.length > 0
      ? ["Its functions, each written as an ONNX file by:", functionCommand(name, others), list]
      : []),
  ];
}

const functionCommand = (run: string, [first]: readonly (readonly [string, unknown])[]): string =>
  fence("sh", `duelo export ${shellWord(run)} --function ${shellWord(first?.[0] ?? "")}`);

function inBrowser(generator: SnippetOptions, classes: readonly string[]): string[] {
  const canvas = generator.outputs[0]?.range ? " and a `<canvas>` on it" : "";
  const labelled = generator.inputs.some(({ kind }) => kind === "label");
  const named = classes.map((label, i) => `${i} ${label}`).join(", ");
  return [
    `In a browser, with \`G.onnx\` beside the page${canvas}:`,
    fence("js", browserSnippet(generator)),
    ...(labelled ? [plain(`Classes: ${named}.`)] : []),
  ];
}

function limits(run: RunRecord): string[] {
  const { options } = run;
  const thing = makesImages(run) ? "images" : "records";
  const count =
    options.nRecords === undefined
      ? `the ${thing}`
      : `the ${numberText(options.nRecords)} ${thing}`;
  const lines = [
    `It has seen ${count} of ${options.data} and nothing else. What is rare or missing there is rare or missing in what it makes, and a bias there is a bias here.`,
    "The numbers above were logged in training and do not measure quality. Look at the samples.",
    "It may repeat parts of its training data closely, all the more when there was little of it, and it may leave out whole kinds of it. Neither was measured.",
    ...(makesImages(run)
      ? [`It makes ${options.shape.slice(1).join(" × ")} pixels and no other size.`]
      : []),
  ];
  return [
    "## Limits",
    lines.map((line) => `- ${plain(line)}`).join("\n"),
    "## Intended use",
    "Learning, experiments, art and prototypes. Nothing that a decision about people, health or safety rests on.",
    `Say that generated ${thing} are generated. Do not use this model to deceive, to imitate a person without consent, or in place of data that must be real. Whoever publishes it must have the right to use the training data in this way.`,
  ];
}

const fence = (language: string, code: string): string => `\`\`\`${language}\n${code}\n\`\`\``;

/** Text on one line in which nothing is Markdown or HTML. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .replaceAll(/[\\`*_[\]<>|~]/g, (char) => `\\${char}`)
    .replaceAll("&", "&amp;");
}
