import { suggestion, UserError, type Shape } from "@duelo/core";
import { printPhases, resolveRequest, sameForBoth, type Resolved } from "@duelo/train";
import type { Context, FieldSpec, OptionSpec, OptionValue, Preset, Recipe } from "@duelo/zoo";
import { cacheDir } from "./cache-dir.ts";
import { count, table, wrapped } from "./format.ts";

/** Everything about a recipe as text. @throws UserError when there is no such recipe or preset */
export function describeRecipe(request: { recipe: string; preset?: string }): string {
  const resolved = resolveRequest({ ...request, ...noData(request.recipe) });
  const { recipe, options } = resolved;
  const functions = Object.entries(recipe.functions(contextOf(resolved)));
  const parts = [
    `${recipe.name}: ${recipe.about}\n`,
    table([
      ["paper", recipe.paper],
      ["data", Object.entries(recipe.data).map(fieldText).join(", ")],
    ]),
    `Sources\n${bullets(recipe.sources)}`,
    `Differences\n${bullets(recipe.differences)}`,
    ...(functions.length > 0
      ? [`Functions (export --function name)\n${aboutRows(functions)}`]
      : []),
    `Options (--set name=value)\n${optionRows(recipe, options)}`,
    `Presets (--preset name)\n${presetRows(recipe.presets)}`,
    `Try\n  duelo train ${recipe.name} --data ${exampleData(recipe)}\n`,
  ];
  return parts.join("\n");
}

const noData = (recipe: string) => ({ ...sameForBoth(recipe, ""), cacheDir: cacheDir() });

const bullets = (lines: readonly string[]): string =>
  lines.map((line) => wrapped(line, { first: "  - " })).join("");

function fieldText([name, field]: readonly [string, FieldSpec]): string {
  if (field.domain !== "image") return `${name}: ${field.domain}`;
  const [height, width] = field.size;
  const channels = field.channels === undefined ? "" : `, ${field.channels} channels`;
  return `${name}: images, ${height}x${width} unless said otherwise${channels}`;
}

const aboutRows = (rows: readonly (readonly [string, { readonly about: string }])[]): string =>
  table(
    rows.map(([name, { about }]) => [name, about]),
    "  ",
  );

function optionRows(recipe: Recipe, values: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(recipe.options).map(([name, spec]) => [
    name,
    String(values[name]),
    domainText(spec),
    `${spec.about} ${spec.source}`,
  ]);
  return table(rows, "  ");
}

function domainText(spec: OptionSpec): string {
  if (spec.kind === "choice") return spec.choices.join("|");
  if (spec.kind === "flag") return "true|false";
  return `${spec.min}..${spec.max}`;
}

function presetRows(presets: Readonly<Record<string, Preset>>): string {
  const rows = Object.entries(presets).map(([name, { about, steps, size, options = {} }]) => {
    const sizes = size === undefined ? [] : [size.join("x")];
    const set = Object.entries(options).map(([k, v]) => `${k}=${String(v)}`);
    return [name, about, [...sizes, ...set, `${count(steps)} steps`].join(", ")];
  });
  return table(rows, "  ");
}

function exampleData(recipe: Recipe): string {
  const domains = Object.values(recipe.data).map((field) => field.domain);
  if (domains.includes("label")) return "fashion-mnist";
  const inTwo = sameForBoth(recipe, "").to !== undefined;
  if (domains.includes("image")) return inTwo ? "emoji-google --to emoji-twitter" : "emoji";
  return inTwo ? "ring5 --to ring10" : "ring8";
}

/**
 * The graph of one step as text, of the phases that train a net. Images have 3 channels and labels 10
 * classes where the recipe leaves them to the data.
 * @throws UserError when there is no such recipe, preset or net
 */
export function describePhase(request: {
  recipe: string;
  /** A net, such as `D`. */
  phase: string;
  preset?: string;
  /** Pixels. */
  height?: number;
  width?: number;
}): string {
  const { phase, ...asked } = request;
  const resolved = resolveRequest({ ...asked, ...noData(asked.recipe) });
  const { recipe } = resolved;
  const context = contextOf(resolved);
  const nets = [...new Set(recipe.phases(context).flatMap((p) => p.update))];
  if (!nets.includes(phase)) {
    throw new UserError(
      `Recipe ${recipe.name} has no phase that trains "${phase}".${suggestion(phase, nets)} Phases: ${nets.join(", ")}.`,
    );
  }
  refuseShape(recipe, context.shape, resolved.options);
  return printPhases({ recipe, context, net: phase }).join("\n");
}

/** A context without data. */
function contextOf({ recipe, options, data }: Resolved): Context {
  const shape = Object.fromEntries(
    Object.entries(recipe.data).map(([name, field]) => [
      name,
      shapeOf(field, Object.values(data)[0] ?? {}),
    ]),
  );
  const nClasses = Object.values(recipe.data).some((f) => f.domain === "label") ? 10 : 0;
  return { ...options, batch: Number(options["batch"] ?? 64), shape, nClasses } as Context;
}

function shapeOf(field: FieldSpec, data: { height?: number; width?: number }): Shape {
  if (field.domain === "label") return [];
  if (field.domain === "vector") return [2];
  const [height, width] = field.size;
  return [field.channels ?? 3, data.height ?? height, data.width ?? width];
}

function refuseShape(
  recipe: Recipe,
  shape: Readonly<Record<string, Shape>>,
  options: Readonly<Record<string, OptionValue>>,
): void {
  for (const [name, field] of Object.entries(recipe.data)) {
    const why = field.domain === "image" ? field.refuse?.(shape[name] ?? [], options) : undefined;
    if (why !== undefined) {
      throw new UserError(`Recipe ${recipe.name} cannot take these images: ${why}.`);
    }
  }
}
