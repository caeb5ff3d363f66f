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
import { duelo } from "./command.ts";

/*
 * Runs every command of the README and the guide, page by page, in a folder that holds real pictures
 * as ./photos. What is rewritten, and why:
 *   npm start                 duelo start
 *   duelo train, duelo start  2 steps in place of the budget, and small nets, to take seconds
 *   duelo bench               small nets
 *   npm …, npx vitest …       only that there is such a script or folder: this test is one of them
 */
const house = resolve(import.meta.dirname, "..");
const home = mkdtempSync(join(tmpdir(), "readme-"));
const pages = ["README.md", "CONTRIBUTING.md", ...guide()];

function guide(): string[] {
  const folder = join(house, "docs/guide");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .toSorted()
    .map((name) => `docs/guide/${name}`);
}

const read = (page: string): string => readFileSync(join(house, page), "utf8");

/** Contents of the fenced blocks of one language. */
const blocks = (page: string, language: string): string[] =>
  [...read(page).matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, text = ""]) =>
    name === language ? [text] : [],
  );

const commands = (page: string): string[] =>
  blocks(page, "sh").flatMap((block) =>
    block.split(/\n| && /).filter((line) => line.trim() !== ""),
  );

const small = "--set width=4 --set batch=4";

function rewritten(command: string): string {
  const line = command.replace(/^npm start$/, "npx duelo start").replace(/^npx /, "");
  const [, name, recipe] = line.split(" ");
  if (name === "start") return `${line} --steps 1`;
  if (name === "bench") return `${line} ${small}`;
  if (name !== "train" || line.includes("--dry-run")) return line;
  const unbound = line.replace(/ --(minutes|images|steps) \S+/, "");
  return `${unbound} --steps 2${recipe === "dcgan" ? ` ${small}` : ""}`;
}

/** Runs one command; throws when it fails. */
async function runs(command: string): Promise<void> {
  const line = rewritten(command);
  const [program = "", ...args] = line.split(" ");
  if (program === "duelo") {
    const { code, err } = await duelo(...args);
    expect({ line, code, err }).toEqual({ line, code: 0, err });
  } else if (program === "tsx") runsFile(join(house, args[0] ?? ""));
  else if (program === "vitest") expect(existsSync(join(house, args[1] ?? ""))).toBe(true);
  else if (program === "npm") expect([...scripts(), "ci"]).toContain(args.at(-1));
  else throw new Error(`no rule for: ${command}`);
}

const scripts = (): string[] =>
  Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);

/** Runs a TypeScript file as a reader would, against the built packages. */
function runsFile(path: string): string {
  const tsx = join(house, "node_modules/.bin/tsx");
  const { status, stdout, stderr } = spawnSync(tsx, [path], { cwd: home, encoding: "utf8" });
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
  }
  process.chdir(home);
});
afterAll(() => {
  process.chdir(before);
  rmSync(home, { recursive: true });
  rmSync(beside, { recursive: true, force: true });
});

describe.each(pages)("%s", (page) => {
  for (const command of commands(page)) {
    test(command, () => runs(command), 120_000);
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
