import { describe, expect, test } from "vitest";
import { choice, flag, int, number, resolveOptions } from "./options.ts";
import { findRecipe, recipes } from "./registry.ts";

const said = { about: "", source: "" };
const table = {
  batch: int({ default: 64, min: 2, max: 4096, ...said }),
  lr: number({ default: 1e-3, min: 0, max: 1, ...said }),
  loss: choice({ default: "hinge", choices: ["hinge", "logistic"], ...said }),
  flip: flag({ default: false, ...said }),
};
const given = (values: Record<string, number | string | boolean>) => resolveOptions(table, values);

test("defaults, and values as themselves or as text", () => {
  expect(given({})).toEqual({ batch: 64, lr: 1e-3, loss: "hinge", flip: false });
  expect(given({ batch: "8", lr: "2e-4", loss: "logistic", flip: "true" })).toEqual({
    batch: 8,
    lr: 2e-4,
    loss: "logistic",
    flip: true,
  });
  expect(given({ batch: 2, lr: 1, flip: true })).toMatchObject({ batch: 2, lr: 1, flip: true });
});

describe("what is refused", () => {
  test("a name that is not there", () => {
    expect(() => given({ bacth: 8 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: There is no option "bacth". Did you mean "batch"?]`,
    );
    expect(() => given({ momentum: 8 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: There is no option "momentum". Options: batch, lr, loss, flip.]`,
    );
    expect(() => given({ toString: 8 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: There is no option "toString". Options: batch, lr, loss, flip.]`,
    );
  });
  test("a number out of range, of another kind, or none", () => {
    expect(() => given({ batch: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option batch is "1"; it takes a whole number from 2 to 4096.]`,
    );
    expect(() => given({ batch: "8.5" })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option batch is "8.5"; it takes a whole number from 2 to 4096.]`,
    );
    expect(() => given({ lr: "fast" })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option lr is "fast"; it takes a number from 0 to 1.]`,
    );
    expect(() => given({ lr: NaN })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option lr is "NaN"; it takes a number from 0 to 1.]`,
    );
    expect(() => given({ lr: " " })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option lr is " "; it takes a number from 0 to 1.]`,
    );
    expect(() => given({ lr: true })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option lr is "true"; it takes a number from 0 to 1.]`,
    );
  });
  test("a word that is no choice, and what is neither true nor false", () => {
    expect(() => given({ loss: "hinges" })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option loss is "hinges"; it takes hinge, logistic. Did you mean "hinge"?]`,
    );
    expect(() => given({ loss: "wasserstein" })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option loss is "wasserstein"; it takes hinge, logistic.]`,
    );
    expect(() => given({ flip: "yes" })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Option flip is "yes"; it takes true or false.]`,
    );
  });
});

describe("registry", () => {
  test("finds every recipe by its name, once", () => {
    for (const recipe of recipes) expect(findRecipe(recipe.name)).toBe(recipe);
    expect(new Set(recipes.map((r) => r.name)).size).toBe(recipes.length);
  });
  test("suggests the nearest name", () => {
    expect(() => findRecipe("dcgam")).toThrowErrorMatchingInlineSnapshot(
      `[UserError: There is no recipe "dcgam". Did you mean "dcgan"? Recipes: gan, gan-2d, cgan, dcgan, dcgan-2015, lapgan, lsgan, wgan, wgan-gp, wgan-gp-2d, sngan, sngan-projection, pacgan, pacgan-2d, unrolled-gan, unrolled-gan-2d, r3gan, r3gan-2d, steady-gan, biggan, biggan-deep, stylegan, stylegan2, vae, pix2pix, cyclegan, discogan, discogan-2d, stargan, srgan, esrgan, classifier.]`,
    );
  });
});

describe.each(recipes)("the options of $name", ({ options, presets, sources, differences }) => {
  test("hold their own defaults and presets, and say where they come from", () => {
    expect(resolveOptions(options, {})).toBeDefined();
    for (const preset of Object.values(presets)) {
      const chosen = Object.entries(preset.options ?? {}).flatMap(([k, v]) =>
        v === undefined ? [] : [[k, v] as const],
      );
      expect(resolveOptions(options, Object.fromEntries(chosen))).toBeDefined();
      expect(preset.steps).toBeGreaterThan(0);
    }
    for (const option of Object.values(options)) {
      expect(option.about).not.toBe("");
      expect(option.source).toMatch(/^\(.+\)|^\[\d|^ours: /);
    }
    expect(sources.length).toBeGreaterThan(0);
    expect(differences.length).toBeGreaterThan(0);
  });
});
