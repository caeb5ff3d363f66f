import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { namedSets } from "@duelo/train";
import { duelo } from "./command.ts";
import { factsOf } from "./zoo/facts.ts";

/*
 * Runs every command of the README, the guide and the zoo's pages, page by page, in a folder that holds real pictures
 * as ./photos, four people each as ./dark and ./light, and one picture as photo.png. What is rewritten, and why:
 *   npm start                 duelo start
 *   duelo train, duelo start  2 steps in place of the budget, and small nets, to take seconds
 *   duelo bench               small nets
 *   duelo eval                40 samples; --eval-every 1
 *   duelo project, restore    2 steps
 *   duelo edit                measured on 4 samples where it is measured, directions from 60
 *   duelo tune                two trials, one step
 *   duelo import              netG.pth is a small one
 *   --device webgpu           left out: test/webgpu.test.ts trains on it
 *   scripts/tables/…          two seeds of 2 steps; health.ts: one row of 20
 *   RUN                       the run of the command before
 *   npm …, npx vitest …       only that there is such a script or folder: this test is one of them
 */
const house = resolve(import.meta.dirname, "..");
const home = mkdtempSync(join(tmpdir(), "readme-"));
const pages = ["README.md", "CONTRIBUTING.md", ...pagesOf("docs/guide"), ...pagesOf("docs/zoo")];

function pagesOf(folder: string): string[] {
  return readdirSync(join(house, folder))
    .filter((name) => name.endsWith(".md"))
    .toSorted()
    .map((name) => `${folder}/${name}`);
}

const read = (page: string): string => readFileSync(join(house, page), "utf8");

/** Contents of the fenced blocks of one language. */
const blocks = (page: string, language: string): string[] =>
  [...read(page).matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, text = ""]) =>
    name === language ? [text] : [],
  );

const commands = (page: string): string[] =>
  blocks(page, "sh").flatMap((block) =>
    block.split(/\n| && /).filter((line) => line.trim() !== "" && !line.startsWith("#")),
  );

/** Options that make the nets of a recipe small. */
const small = async (recipe: string): Promise<string> =>
  Object.entries((await factsOf(recipe)).tiny)
    .map(([option, value]) => ` --set ${option}=${value}`)
    .join("");

/** The named set that a command needs and that is not on this machine, if any. */
function lacking(command: string): string | undefined {
  const words = command.split(" ");
  const needed = words.filter((_, i) => ["--data", "--to"].includes(words[i - 1] ?? ""));
  return namedSets.find((s) => needed.includes(s.name) && s.find() === undefined)?.name;
}

async function rewritten(command: string): Promise<string> {
  const line = command
    .replace(/^npm start$/, "npx duelo start")
    .replace(/^npx /, "")
    .replace(" --device webgpu", "")
    .replace(" RUN ", " latest ");
  const [, name, recipe = ""] = line.split(" ");
  if (name === "start") return `${line} --steps 1`;
  if (name === "import") {
    const set = recipe === "dcgan" ? "width=2 zDim=4" : "widthG=2 widthD=2 blocks=2";
    return `${line.replace("--size 256", "--size 32")}${set.replace(/(^| )/g, " --set ")}`;
  }
  if (name === "tune") {
    return `${line.replace(/ --(trials|budget-steps) \S+/g, "")} --trials 2 --budget-steps 1`;
  }
  if (name === "project" || name === "restore")
    return `${line.replace(/ --steps \S+/, "")} --steps 2`;
  if (name === "edit") {
    const measured = line.includes(" --direction ") || !/ --by (sefa|pca)\b/.test(line);
    return `${line}${measured ? " --measure 4" : ""} --from 60`;
  }
  if (name === "bench") return `${line}${await small(recipe)}`;
  if (name === "eval" && !line.endsWith(" list")) return `${line.replace(/ -n \S+/, "")} -n 40`;
  if (name !== "train" || line.includes("--dry-run")) return line;
  const unbound = line
    .replace(/ --(minutes|images|steps) \S+/, "")
    .replace(/ --eval-every \S+/, " --eval-every 1");
  return `${unbound} --steps 2${await small(recipe)}`;
}

/** Runs one command; throws when it fails. */
async function runs(command: string): Promise<void> {
  const line = await rewritten(command);
  const [program = "", ...args] = line.split(" ");
  if (program === "duelo") {
    const { code, err } = await duelo(...args);
    expect({ line, code, err }).toEqual({ line, code: 0, err });
  } else if (program === "tsx") runsScript(args);
  else if (program === "vitest") expect(existsSync(join(house, args[1] ?? ""))).toBe(true);
  else if (program === "npm") expect([...scripts(), "ci"]).toContain(args.at(-1));
  else throw new Error(`no rule for: ${command}`);
}

const scripts = (): string[] =>
  Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);

/** Runs a script of the docs; one that makes a table makes it of two short runs. */
function runsScript(args: readonly string[]): void {
  const [file = "", ...rest] = args.filter((a) => !a.startsWith("--conditions"));
  if (!file.startsWith("scripts/tables/")) return void runsFile(join(house, file), rest);
  const brief = file.endsWith("health.ts")
    ? ["--row", "gan-2d on ring8: D hardly", "--steps", "20"]
    : ["--steps", "2", "--seeds", "2"];
  runsFile(join(house, file), [...rest, ...brief]);
}

/** Runs a TypeScript file as a reader would, against the built packages. */
function runsFile(path: string, args: readonly string[] = []): string {
  const tsx = join(house, "node_modules/.bin/tsx");
  const { status, stdout, stderr } = spawnSync(tsx, [path, ...args], {
    cwd: home,
    encoding: "utf8",
  });
  expect({ path, status, stderr }).toMatchObject({ path, status: 0 });
  return stdout;
}

const before = process.cwd();
const beside = join(house, "tmp", `readme-${process.pid}`);
beforeAll(() => {
  process.env["XDG_CACHE_HOME"] = join(home, "cache");
  mkdirSync(join(home, "photos"));
  const pictures = join(house, "node_modules/@lobehub/fluent-emoji-3d/assets");
  for (const name of readdirSync(pictures).slice(0, 40)) {
    copyFileSync(join(pictures, name), join(home, "photos", name));
    copyFileSync(join(pictures, name), join(home, "photo.png"));
  }
  for (const [folder, tone] of Object.entries({ dark: "1f3ff", light: "1f3fb" })) {
    mkdirSync(join(home, folder));
    for (const name of readdirSync(pictures)
      .filter((n) => n.includes(tone))
      .slice(0, 4))
      copyFileSync(join(pictures, name), join(home, folder, name));
  }
  const weights = { "dcgan-zip": ["netG"], resnet: ["latest_net_G_A", "latest_net_G_B"] };
  for (const [from, names] of Object.entries(weights))
    for (const to of names)
      copyFileSync(join(house, `test/golden/weights/${from}.pth`), join(home, `${to}.pth`));
  process.chdir(home);
});
afterAll(() => {
  process.chdir(before);
  rmSync(home, { recursive: true });
  rmSync(beside, { recursive: true, force: true });
});

describe.each(pages)("%s", (page) => {
  for (const command of commands(page)) {
    const set = lacking(command);
    const title = set === undefined ? command : `${command} (skipped: ${set} is not installed)`;
    test.skipIf(set !== undefined)(title, () => runs(command), 300_000);
  }

  test("has no link to a file that is not there", () => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, to = ""]) => to);
    const missing = links.filter((to) => !existsSync(resolve(house, page, "..", to)));
    expect(missing).toEqual([]);
  });
});

test("the recipe in the README is the file in the guide", () => {
  expect(blocks("README.md", "ts")[0]).toBe(read("docs/guide/own-recipe.ts"));
});

test("the library example in the README runs", () => {
  mkdirSync(beside, { recursive: true });
  const path = join(beside, "library.ts");
  writeFileSync(path, blocks("README.md", "ts")[1] ?? "");
  expect(runsFile(path)).toContain("[ 10, 2 ]");
}, 120_000);
