// Recipes of the zoo, broken on purpose.
import {
  findRecipe,
  full,
  less,
  log,
  softplus,
  stopGradient,
  where,
  type Recipe,
  type Tensor,
} from "duelo";

type Phases = ReturnType<Recipe["phases"]>;
type Context = Parameters<Recipe["nets"]>[0];

const named = (base: Recipe, name: string, change: Partial<Recipe>): Recipe => ({
  ...base,
  ...change,
  name,
});

/** Each net's phase, drawn afresh and run so many times a step. */
const repeated = (phases: Phases, times: Readonly<Record<string, number>>): Phases =>
  phases.map((p) => ({ ...p, draw: "fresh", times: times[p.update[0] ?? ""] ?? 1 }));

/** D `factor` times as wide, and updated `times` as often. */
export function hugeD(of: string, factor: number, times: number): Recipe {
  const base = findRecipe(of);
  return named(base, `${of}-huge-d`, {
    nets: (c) => {
      const wide = { ...c, width: Number(c["width"]) * factor } as unknown as Context;
      const { D } = base.nets(wide);
      return { ...base.nets(c), ...(D && { D }) };
    },
    phases: (c) => repeated(base.phases(c), { D: times }),
  });
}

/** G updated many times for one update of D. */
export function eagerG(of: string, times: number): Recipe {
  const base = findRecipe(of);
  return named(base, `${of}-eager-g`, {
    phases: (c) => repeated(base.phases(c), { G: times }),
  });
}

/** No gradient reaches G: what D sees of it is cut off. */
export function cutG(of: string): Recipe {
  const base = findRecipe(of);
  return named(base, `${of}-cut-g`, {
    phases: (c) =>
      base.phases(c).map((p) => ({
        ...p,
        loss: (nets, inputs, state, ahead) => {
          const { G } = nets;
          if (p.update[0] !== "G" || G === undefined) return p.loss(nets, inputs, state, ahead);
          const cut = (...z: readonly unknown[]) => stopGradient(G(...z) as Tensor);
          return p.loss({ ...nets, G: cut }, inputs, state, ahead);
        },
      })),
  });
}

/** The loss of G that saturates (the minimax form), against a D that has had a head start. */
export function saturated(of: string, headStart: number): Recipe {
  const base = findRecipe(of);
  return named(base, `${of}-saturated`, {
    phases: (c) =>
      repeated(base.phases(c), {}).map((p) =>
        p.update[0] === "D"
          ? { ...p, times: 3 }
          : {
              ...p,
              times: ({ step }) => (step < headStart ? 0 : 1),
              loss: ({ G, D }, { z }) => {
                const logits = D?.(G?.(z)) as Tensor;
                return { loss: softplus(logits).mean().mul(-1) };
              },
            },
      ),
  });
}

/** Pixels stay 0 to 255, while G's tanh ends at 1. */
export function rawPixels(of: string): Recipe {
  const base = findRecipe(of);
  const x = base.data["x"];
  if (x?.domain !== "image") throw new TypeError(`${of} has no pictures`);
  return named(base, `${of}-raw-pixels`, { data: { ...base.data, x: { ...x, range: [0, 255] } } });
}

/** Some points of the batch are NaN: log of a negative number where x is below a bound. */
export function nanData(of: string, bound: number): Recipe {
  const base = findRecipe(of);
  return named(base, `${of}-nan`, {
    phases: (c) =>
      base.phases(c).map((p) => ({
        ...p,
        loss: (nets, inputs, state, ahead) => {
          const { x, ...others } = inputs;
          if (x === undefined) return p.loss(nets, inputs, state, ahead);
          const bad = where(less(x, bound), log(full(x.shape, -1)), x);
          return p.loss(nets, { ...others, x: bad }, state, ahead);
        },
      })),
  });
}
