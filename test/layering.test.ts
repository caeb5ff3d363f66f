import {
  cruise,
  type ICruiseOptions,
  type ICruiseResult,
  type IForbiddenRuleType,
} from "dependency-cruiser";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";

const house = resolve(import.meta.dirname, "..");
const config = createRequire(import.meta.url)("../.dependency-cruiser.cjs") as {
  forbidden: IForbiddenRuleType[];
  options: ICruiseOptions;
};

/** `RULE: FROM -> TO` for every import under `baseDir/packages` that a rule forbids. */
async function violations(baseDir: string): Promise<string[]> {
  const { tsConfig: _, ...options } = config.options;
  const { output } = await cruise(["packages"], {
    ...options,
    baseDir,
    validate: true,
    ruleSet: { forbidden: config.forbidden },
  });
  return (output as ICruiseResult).summary.violations.map(
    (v) => `${v.rule.name}: ${v.from} -> ${v.to}`,
  );
}

const planted = mkdtempSync(join(tmpdir(), "layering-"));
afterAll(() => rmSync(planted, { recursive: true }));

/** A small house of its own in which each file has these imports. */
function build(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(planted, path)), { recursive: true });
    writeFileSync(join(planted, path), text);
  }
  mkdirSync(join(planted, "node_modules/@duelo"), { recursive: true });
  for (const room of ["core", "runtime", "zoo", "train"]) addPackage(room);
}

function addPackage(room: string): void {
  const home = join(planted, "packages", room);
  mkdirSync(join(home, "src"), { recursive: true });
  const exports = { ".": { source: "./src/index.ts" } };
  writeFileSync(join(home, "package.json"), JSON.stringify({ name: `@duelo/${room}`, exports }));
  writeFileSync(join(home, "src/index.ts"), "export const here = 1;\n");
  symlinkSync(home, join(planted, "node_modules/@duelo", room));
}

test("no room imports what it must not", async () => {
  expect(await violations(house)).toEqual([]);
}, 60_000);

test("every rule notices what it forbids", async () => {
  build({
    "packages/core/src/node.ts": 'import "node:fs";\n',
    "packages/core/src/up.ts":
      'import type { here } from "@duelo/runtime";\nexport type T = typeof here;\n',
    "packages/core/src/ring-a.ts": 'import "./ring-b.ts";\n',
    "packages/core/src/ring-b.ts": 'import "./ring-a.ts";\n',
    "packages/core/src/ops/a.ts": 'import "./b.ts";\n',
    "packages/core/src/ops/b.ts": 'import "./a.ts";\n',
    "packages/core/src/fine.test.ts": 'import "node:fs";\n',
    "packages/runtime/src/up.ts": 'import "@duelo/zoo";\n',
    "packages/zoo/src/recipes/one.ts": 'import "./two.ts";\n',
    "packages/zoo/src/recipes/two.ts": 'import "@duelo/runtime";\n',
    "packages/zoo/src/recipes/three.ts": 'import "../registry.ts";\n',
    "packages/zoo/src/registry.ts": "export {};\n",
    "packages/zoo/src/blocks/norm.ts": 'import "../recipes/one.ts";\n',
    "packages/train/src/up.ts": 'import "../../cli/src/main.ts";\nimport "./missing.ts";\n',
    "packages/cli/src/main.ts": 'import "@duelo/core";\n',
  });
  expect((await violations(planted)).toSorted()).toMatchInlineSnapshot(`
    [
      "all-imports-resolve: packages/train/src/up.ts -> ./missing.ts",
      "blocks-know-no-recipe: packages/zoo/src/blocks/norm.ts -> packages/zoo/src/recipes/one.ts",
      "core-and-zoo-run-anywhere: packages/core/src/node.ts -> fs",
      "core-imports-no-runtime-zoo-train-cli: packages/core/src/up.ts -> packages/runtime/src/index.ts",
      "no-cycles: packages/core/src/ring-a.ts -> packages/core/src/ring-b.ts",
      "recipes-stand-alone: packages/zoo/src/recipes/one.ts -> packages/zoo/src/recipes/two.ts",
      "recipes-stand-alone: packages/zoo/src/recipes/three.ts -> packages/zoo/src/registry.ts",
      "recipes-stand-alone: packages/zoo/src/recipes/two.ts -> packages/runtime/src/index.ts",
      "runtime-imports-no-zoo-train-cli: packages/runtime/src/up.ts -> packages/zoo/src/index.ts",
      "train-imports-no-cli: packages/train/src/up.ts -> packages/cli/src/main.ts",
      "zoo-imports-no-runtime-train-cli: packages/zoo/src/recipes/two.ts -> packages/runtime/src/index.ts",
    ]
  `);
}, 60_000);
