import type { Result } from "./jobs.ts";

/** One column of a table: the score's name, its heading, and how it is shown. */
interface Column {
  readonly score: string;
  readonly title: string;
  readonly digits: number;
  /** What a value is multiplied by: 100 for per cent. */
  readonly scale?: number;
}
/** Columns of scores from 0 to 1 and the like, by their own names. */
const plain = (digits: number, ...scores: readonly string[]): Column[] =>
  scores.map((score) => ({ score, title: score, digits }));
const steps: Column = { score: "steps", title: "steps", digits: 0 };
const ofPictures: Column[] = [
  steps,
  { score: "frechet", title: "Fréchet distance", digits: 2 },
  ...plain(3, "precision", "recall", "density", "coverage"),
  ...plain(2, "sharpness"),
];
const ofPairs: Column[] = [
  { score: "psnr", title: "PSNR, dB", digits: 2 },
  { score: "ssim", title: "SSIM", digits: 3 },
];
const ofTranslations: Column[] = [steps, { score: "l1", title: "L1", digits: 3 }, ...ofPairs];
const named = (...rows: readonly string[]) => rows.map((row) => ({ row }));

interface Table {
  readonly table: string;
  readonly data: string;
  /** All rows, run or not, with the published values where there are any. */
  readonly rows: readonly { readonly row: string; readonly published?: readonly string[] }[];
  readonly columns: readonly Column[];
}

const mixtureColumns = (nModes: number): Column[] => [
  { score: "modes", title: `modes of ${nModes}`, digits: 1 },
  { score: "highQuality", title: "high quality, %", digits: 1, scale: 100 },
  { score: "reverseKl", title: "reverse KL", digits: 2 },
];

export const tables: readonly Table[] = [
  {
    table: "mixtures",
    data: "ring8",
    columns: mixtureColumns(8),
    rows: [
      { row: "gan", published: ["6.3 ± 0.5", "98.2 ± 0.2", "0.45 ± 0.09"] },
      { row: "pacgan 2", published: ["7.9 ± 0.1", "95.6 ± 2.0", "0.07 ± 0.03"] },
      { row: "pacgan 3", published: ["7.8 ± 0.1", "97.7 ± 0.3", "0.10 ± 0.02"] },
      { row: "pacgan 4", published: ["7.8 ± 0.1", "95.9 ± 1.4", "0.07 ± 0.02"] },
      { row: "wgan-gp" },
      { row: "unrolled-gan 5", published: ["7.6 (VEEGAN)", "35.6 (VEEGAN)", "–"] },
      { row: "r3gan" },
    ],
  },
  {
    table: "mixtures",
    data: "grid25",
    columns: mixtureColumns(25),
    rows: [
      { row: "gan", published: ["17.3 ± 0.8", "94.8 ± 0.7", "0.70 ± 0.07"] },
      { row: "pacgan 2", published: ["23.8 ± 0.7", "91.3 ± 0.8", "0.13 ± 0.04"] },
      { row: "pacgan 3", published: ["24.6 ± 0.4", "94.2 ± 0.4", "0.06 ± 0.02"] },
      { row: "pacgan 4", published: ["24.8 ± 0.2", "93.6 ± 0.6", "0.04 ± 0.01"] },
      { row: "wgan-gp" },
      { row: "unrolled-gan 5", published: ["23.6 (VEEGAN)", "16 (VEEGAN)", "–"] },
      { row: "r3gan" },
    ],
  },
  {
    table: "fashion",
    data: "fashion-mnist",
    columns: ofPictures,
    rows: named("gan", "dcgan", "wgan-gp", "sngan", "r3gan", "vae"),
  },
  {
    table: "stacked",
    data: "stacked-fashion",
    columns: [
      steps,
      { score: "modes", title: "classes of 1,000", digits: 1 },
      { score: "kl", title: "reverse KL", digits: 2 },
    ],
    rows: [
      { row: "dcgan", published: ["–", "99.0 (VEEGAN), 78.9 ± 6.5 (PacGAN)", "3.40, 4.50 ± 0.13"] },
      { row: "pacgan 2", published: ["–", "1000 ± 0 (PacGAN), 992 (R3GAN)", "0.06, 0.28"] },
      { row: "wgan-gp", published: ["–", "959 (R3GAN)", "0.73"] },
      { row: "r3gan", published: ["–", "1000 (R3GAN)", "0.029"] },
    ],
  },
  {
    table: "generators",
    data: "emoji",
    columns: ofPictures,
    rows: named("dcgan", "lapgan", "biggan", "stylegan", "stylegan2"),
  },
  {
    table: "generators",
    data: "fashion-mnist",
    columns: ofPictures,
    rows: named("dcgan", "lapgan", "biggan"),
  },
  {
    ...{ table: "translation", data: "phosphor", columns: ofTranslations },
    rows: named("identity", "pix2pix", "L1 alone", "cyclegan", "discogan", "stargan"),
  },
  {
    ...{ table: "translation", data: "emoji", columns: ofTranslations },
    rows: named("identity", "pix2pix", "L1 alone"),
  },
  ...["emoji", "photographs"].map((data) => ({
    ...{ table: "upscaling", data, rows: named("bicubic", "esrgan-slim", "srgan", "esrgan") },
    columns: [steps, ...ofPairs, { score: "perceptual", title: "perceptual distance", digits: 3 }],
  })),
];

/** One score of the runs of a row: over several its mean and standard error, of one its interval if it has one. */
function cell({ score, digits, scale = 1 }: Column, runs: readonly Result[]): string {
  const of = (name: string): number[] =>
    runs.flatMap(({ scores }) => (scores[name] === undefined ? [] : [scores[name] * scale]));
  const text = summary(of(score), digits);
  const [[low], [high]] = [of(`${score}Low`), of(`${score}High`)];
  if (runs.length !== 1 || low === undefined || high === undefined) return text;
  return `${text} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** Mean ± standard error of the mean, or the one value that there is. */
export function summary(values: readonly number[], digits: number): string {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  if (n < 2) return n === 0 ? "–" : mean.toFixed(digits);
  const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / (n - 1);
  return `${mean.toFixed(digits)} ± ${Math.sqrt(variance / n).toFixed(digits)}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** One table in Markdown: what was measured, with the published values beside. */
export function tableText(t: Table, results: readonly Result[]): string {
  const known = (r: Table["rows"][number], i: number): string => r.published?.[i] ?? "–";
  const places = t.columns.map((_, i) => i).filter((i) => t.rows.some((r) => known(r, i) !== "–"));
  const published = places.map((i) => `published: ${t.columns[i]?.title ?? ""}`);
  const head = ["row", "budget", "CPU, s", "seeds", ...t.columns.map((c) => c.title), ...published];
  const body = t.rows.map((r) => {
    const { row } = r;
    const mine = results.filter((m) => m.table === t.table && m.data === t.data && m.row === row);
    const theirs = places.map((i) => known(r, i));
    if (mine.length === 0)
      return [row, "not run", "–", "0", ...t.columns.map(() => "–"), ...theirs];
    const budgets = [...new Set(mine.map((r) => r.budget))].join(", ");
    const cells = t.columns.map((column) => cell(column, mine));
    const spent = mine.reduce((sum, m) => sum + m.cpuSeconds, 0) / mine.length;
    return [row, budgets, spent.toFixed(0), String(mine.length), ...cells, ...theirs];
  });
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}

/** The page with every table between its marks replaced by that of the results. */
export const pageText = (page: string, results: readonly Result[]): string =>
  tables.reduce((text, t) => marked(text, `${t.table} ${t.data}`, tableText(t, results)), page);

/** A page with what stands between two marks replaced: `<!-- NAME -->` and `<!-- end of NAME -->`. */
export function marked(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no place for the table ${name}.`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}
