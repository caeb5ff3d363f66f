import { suggestion, UserError } from "@duelo/core";
import type { Recipe } from "./recipe.ts";
import biggan from "./recipes/biggan.ts";
import bigganDeep from "./recipes/biggan-deep.ts";
import cyclegan from "./recipes/cyclegan.ts";
import cgan from "./recipes/cgan.ts";
import classifier from "./recipes/classifier.ts";
import dcgan from "./recipes/dcgan.ts";
import dcgan2015 from "./recipes/dcgan-2015.ts";
import discogan from "./recipes/discogan.ts";
import discogan2d from "./recipes/discogan-2d.ts";
import esrgan from "./recipes/esrgan.ts";
import pix2pix from "./recipes/pix2pix.ts";
import stargan from "./recipes/stargan.ts";
import gan from "./recipes/gan.ts";
import gan2d from "./recipes/gan-2d.ts";
import lapgan from "./recipes/lapgan.ts";
import lsgan from "./recipes/lsgan.ts";
import pacgan from "./recipes/pacgan.ts";
import pacgan2d from "./recipes/pacgan-2d.ts";
import r3gan from "./recipes/r3gan.ts";
import r3gan2d from "./recipes/r3gan-2d.ts";
import sngan from "./recipes/sngan.ts";
import snganProjection from "./recipes/sngan-projection.ts";
import srgan from "./recipes/srgan.ts";
import steadyGan from "./recipes/steady-gan.ts";
import unrolledGan from "./recipes/unrolled-gan.ts";
import unrolledGan2d from "./recipes/unrolled-gan-2d.ts";
import stylegan from "./recipes/stylegan.ts";
import stylegan2 from "./recipes/stylegan2.ts";
import vae from "./recipes/vae.ts";
import wgan from "./recipes/wgan.ts";
import wganGp from "./recipes/wgan-gp.ts";
import wganGp2d from "./recipes/wgan-gp-2d.ts";

/** Every recipe of the zoo, in the order in which to read them. */
export const recipes: readonly Recipe[] = [
  gan,
  gan2d,
  cgan,
  dcgan,
  dcgan2015,
  lapgan,
  lsgan,
  wgan,
  wganGp,
  wganGp2d,
  sngan,
  snganProjection,
  pacgan,
  pacgan2d,
  unrolledGan,
  unrolledGan2d,
  r3gan,
  r3gan2d,
  steadyGan,
  biggan,
  bigganDeep,
  stylegan,
  stylegan2,
  vae,
  pix2pix,
  cyclegan,
  discogan,
  discogan2d,
  stargan,
  srgan,
  esrgan,
  classifier,
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
