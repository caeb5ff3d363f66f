// What is trained for the table of verdicts, and what should be said of it.
import { calmVerdicts, type Recipe, type TrainRequest } from "duelo";
import { cutG, eagerG, hugeD, nanData, rawPixels, saturated } from "./broken.ts";

export interface Setup {
  readonly name: string;
  /** What was done to it; left out when nothing was. */
  readonly broken?: string;
  /** Verdicts that are right, settled before anything was measured. */
  readonly right: readonly string[];
  readonly request: Pick<
    TrainRequest,
    "recipe" | "data" | "set" | "budget" | "height" | "limit" | "select" | "channels"
  >;
}

type Rest = Partial<Setup["request"]>;
type Set = NonNullable<TrainRequest["set"]>;

const steps = (n: number) => ({ budget: { steps: n } });
const points = { width: 64, batch: 128 };
const pictures = { width: 8, batch: 16, zDim: 16, lr: 1e-3 };
const faces = { data: "emoji", select: { group: "smileys-emotion" }, height: 32 };
const fashion = { data: "fashion-mnist", height: 16 };
const digits = { data: "digits-8x8", height: 16 };
const icons = { data: "phosphor", select: { weight: "fill" }, height: 16, channels: 1 } as const;

function healthy(recipe: string, data: Rest & { data: string }, set: Set, n: number): Setup {
  const name = `${recipe} on ${data.data}`;
  return { name, right: [...calmVerdicts], request: { recipe, ...data, set, ...steps(n) } };
}

function broken(
  what: string,
  right: readonly string[],
  recipe: string | Recipe,
  request: Rest & { data: string },
): Setup {
  const of = typeof recipe === "string" ? recipe : recipe.name;
  return {
    name: `${of} on ${request.data}: ${what}`,
    broken: what,
    right,
    request: { recipe, ...request },
  };
}

const image = (set: Set, n: number) => ({ set: { ...pictures, ...set }, ...steps(n) });
const plane = (set: Set, n: number) => ({ set: { ...points, ...set }, ...steps(n) });

/** `gan-2d` with a z and rates with which it reaches the whole ring. */
const calm = { zDim: 8, lrG: 1e-3, lrD: 1e-3 };

/** The first GAN so narrow that all its samples have one shape: seen in its pictures on seed 1. */
const smallGan = { set: { batch: 32, zDim: 32, widthG: 128, unitsD: 32 }, ...steps(1000) };

const learntByHeart = {
  set: { width: 128, batch: 20, zDim: 2, lr: 3e-3 },
  ...steps(4000),
};

export const setups: readonly Setup[] = [
  healthy("wgan-gp-2d", { data: "ring8" }, { ...points, lr: 1e-3 }, 600),
  healthy("wgan-gp-2d", { data: "grid25" }, { ...points, lr: 1e-3 }, 600),
  healthy("gan-2d", { data: "ring8" }, { ...points, ...calm }, 1500),
  healthy("gan-2d", { data: "grid25" }, { ...points, ...calm }, 1500),
  healthy("vae", fashion, { width: 64, batch: 32 }, 600),
  healthy("vae", faces, { width: 64, batch: 32 }, 600),
  healthy("vae", icons, { width: 64, batch: 32 }, 600),
  healthy("vae", digits, { width: 64, batch: 32 }, 600),
  healthy("dcgan", fashion, pictures, 1000),
  healthy("dcgan", faces, pictures, 600),
  healthy("dcgan", icons, pictures, 1000),
  healthy("dcgan", digits, pictures, 1000),
  healthy("wgan-gp", fashion, { ...pictures, nCritic: 3 }, 200),
  healthy("wgan-gp", faces, { ...pictures, nCritic: 3 }, 200),
  healthy("wgan-gp", digits, { ...pictures, nCritic: 3 }, 300),

  broken("learning rate x 50", ["divergence"], "gan", {
    ...digits,
    ...{ set: { ...smallGan.set, lr: 5 }, ...steps(200) },
  }),
  broken("learning rate x 50", ["divergence", "oscillation"], "gan-2d", {
    data: "grid25",
    ...plane({ ...calm, lrG: 5e-2, lrD: 5e-2 }, 1000),
  }),
  broken("learning rate x 50", ["divergence"], "gan", {
    ...fashion,
    ...{ set: { ...smallGan.set, lr: 5 }, ...steps(200) },
  }),
  broken("learning rate x 50", ["divergence"], "r3gan-2d", {
    data: "ring8",
    ...plane({ lr: 5e-2 }, 600),
  }),
  broken("learning rate x 50", ["divergence", "oscillation"], "gan-2d", {
    data: "ring8",
    ...plane({ ...calm, lrG: 5e-2, lrD: 5e-2 }, 1500),
  }),
  broken("learning rate x 50", ["divergence"], "gan", {
    ...icons,
    ...{ set: { ...smallGan.set, lr: 5 }, ...steps(200) },
  }),
  broken("D 4 times as wide, 4 updates", ["D too strong"], hugeD("dcgan", 4, 4), {
    ...digits,
    ...image({}, 300),
  }),
  broken("no gradient reaches G", ["D too strong"], cutG("dcgan"), {
    ...fashion,
    ...image({}, 500),
  }),
  broken("no gradient reaches G", ["D too strong"], cutG("gan-2d"), {
    data: "grid25",
    ...plane(calm, 1500),
  }),
  broken("no gradient reaches G", ["D too strong"], cutG("wgan-gp-2d"), {
    data: "ring8",
    ...plane({ lr: 1e-3 }, 500),
  }),
  broken("G's loss saturates, D had a head start", ["D too strong"], saturated("gan-2d", 500), {
    data: "ring8",
    ...plane({ ...calm, lrD: 5e-3 }, 1000),
  }),
  broken("pixels from 0 to 255", ["D too strong"], rawPixels("dcgan"), {
    ...fashion,
    ...image({}, 500),
  }),
  broken("20 updates of G for one of D", ["mode collapse", "oscillation"], eagerG("gan-2d", 20), {
    data: "ring8",
    ...plane(calm, 600),
  }),
  broken("20 updates of G for one of D", ["mode collapse", "oscillation"], eagerG("gan-2d", 20), {
    data: "grid25",
    ...plane(calm, 600),
  }),
  broken("z of one number", ["mode collapse"], "gan-2d", {
    data: "grid25",
    ...plane({ ...calm, zDim: 1, lrD: 1e-4 }, 1500),
  }),
  broken("nets too small for it", ["mode collapse"], "gan", { ...digits, ...smallGan }),
  broken("20 pictures", ["memorising"], "vae", { ...digits, limit: 20, ...learntByHeart }),
  broken("20 pictures", ["memorising"], "vae", { ...icons, limit: 20, ...learntByHeart }),
  broken("20 pictures", ["memorising"], "vae", { ...fashion, limit: 20, ...learntByHeart }),
  broken("NaN in the data", ["divergence"], nanData("gan-2d", -1), {
    data: "ring8",
    ...plane(calm, 500),
  }),
  broken("NaN in the data", ["divergence"], nanData("wgan-gp-2d", -4.1), {
    data: "grid25",
    ...plane({ lr: 1e-3 }, 300),
  }),
  broken("D hardly learns", ["D too weak"], "gan-2d", {
    data: "ring8",
    ...plane({ ...calm, lrD: 1e-7 }, 1500),
  }),
  broken("nothing learns", ["stalled"], "dcgan", { ...fashion, ...image({ lr: 1e-8 }, 400) }),
  broken("nothing learns", ["stalled"], "wgan-gp-2d", {
    data: "grid25",
    ...plane({ lr: 1e-9 }, 400),
  }),

  healthy("r3gan-2d", { data: "grid25" }, { width: 64, batch: 128, lr: 1e-3 }, 600),
  healthy("pacgan-2d", { data: "grid25" }, { widthG: 64, unitsD: 32, batch: 128, lr: 3e-4 }, 1500),
  healthy("wgan-gp", icons, { ...pictures, nCritic: 3 }, 200),
  healthy("lsgan", fashion, pictures, 800),
  healthy("sngan", digits, { batch: 16, zDim: 16, widthG: 8, widthD: 8 }, 400),
  healthy("pacgan", icons, pictures, 800),
  healthy("r3gan-2d", { data: "ring8" }, { width: 64, batch: 128, lr: 1e-3 }, 600),
];
