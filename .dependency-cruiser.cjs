// The rooms of the house and what each may import (ARCHITECTURE.md). Tests are exempt.
const source = (room) => `^packages/${room}/src/`;
const tests = "\\.test\\.ts$|/testing/";
const inRoom = (room) => ({ path: source(room), pathNot: tests });
const ofRoom = (...rooms) => ({
  path: rooms.map(
    (room) => `^packages/${room}/|^@duelo/${room}(/|$)|^node_modules/@duelo/${room}/`,
  ),
});

/** `room` must not import any of `others`. */
const keepsAway = (room, ...others) => ({
  name: `${room}-imports-no-${others.join("-")}`,
  severity: "error",
  from: inRoom(room),
  to: ofRoom(...others),
});

const recipesFolder = "^packages/zoo/src/recipes/";

module.exports = {
  forbidden: [
    keepsAway("core", "runtime", "zoo", "train", "cli"),
    keepsAway("runtime", "zoo", "train", "cli"),
    keepsAway("zoo", "runtime", "train", "cli"),
    keepsAway("train", "cli"),
    {
      name: "core-and-zoo-run-anywhere",
      comment: "no Node module: core and zoo run in a browser as they are",
      severity: "error",
      from: { path: "^packages/(core|zoo)/src/", pathNot: tests },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "recipes-stand-alone",
      comment: "a recipe imports core, recipe.ts, options.ts and blocks/, and never another recipe",
      severity: "error",
      from: { path: recipesFolder, pathNot: tests },
      to: {
        pathNot:
          "^packages/core/|^packages/zoo/src/(recipe|options)\\.ts$|^packages/zoo/src/blocks/[^/]+\\.ts$",
      },
    },
    {
      name: "blocks-know-no-recipe",
      severity: "error",
      from: { path: "^packages/zoo/src/blocks/", pathNot: tests },
      to: { path: recipesFolder },
    },
    {
      name: "no-cycles",
      comment: "but for operations, whose gradients are made of each other",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: `^packages/core/src/ops/|${tests}` },
      to: { circular: true },
    },
    {
      name: "all-imports-resolve",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/[^/]+/dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["source", "import", "node", "default"],
      extensions: [".ts", ".js", ".mjs", ".json"],
    },
    combinedDependencies: true,
  },
};
