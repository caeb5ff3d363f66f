import { suggestion, UserError } from "@duelo/core";
import type { Recipe } from "./recipe.ts";
import cgan from "./recipes/cgan.ts";
import dcgan from "./recipes/dcgan.ts";
import dcgan2015 from "./recipes/dcgan-2015.ts";
import gan from "./recipes/gan.ts";
import gan2d from "./recipes/gan-2d.ts";
import pacgan2d from "./recipes/pacgan-2d.ts";
import r3gan2d from "./recipes/r3gan-2d.ts";
import unrolledGan2d from "./recipes/unrolled-gan-2d.ts";
import stylegan2 from "./recipes/stylegan2.ts";
import vae from "./recipes/vae.ts";
import wganGp from "./recipes/wgan-gp.ts";
import wganGp2d from "./recipes/wgan-gp-2d.ts";

/** Every recipe of the zoo, in the order in which to read them. */
export const recipes: readonly Recipe[] = [
  gan,
  gan2d,
  cgan,
  dcgan,
  dcgan2015,
  wganGp,
  wganGp2d,
  pacgan2d,
  unrolledGan2d,
  r3gan2d,
  stylegan2,
  vae,
];

/** The recipe of that name. Throws UserError with the nearest name. */
export function findRecipe(name: string): Recipe {
  const found = recipes.find((r) => r.name === name);
  if (found !== undefined) return found;
  const names = recipes.map((r) => r.name);
  throw new UserError(
    `There is no recipe "${name}".${suggestion(name, names)} Recipes: ${names.join(", ")}.`,
  );
}
