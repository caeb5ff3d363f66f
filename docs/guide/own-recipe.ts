import { adam, cacheDir, nn, recipe, softplus, type Tensor, train, vector } from "duelo";

const mlp = (out: number) => nn.chain(nn.linear({ out: 128 }), nn.relu, nn.linear({ out }));
const cost = (logits: Tensor) => softplus(logits).mean(); // -log sigmoid(-logits)
const mine = recipe({
  ...{ name: "mine", about: "two small nets", paper: "none", sources: [], differences: [] },
  data: { x: vector() },
  options: {},
  presets: { small: { about: "a few seconds", steps: 300 } },
  nets: () => ({ G: mlp(2), D: mlp(1) }),
  optimizer: () => ({ G: adam({ lr: 1e-3, beta1: 0.5 }), D: adam({ lr: 1e-3, beta1: 0.5 }) }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 16] } }),
  phases: () => [
    {
      update: ["D"],
      loss: ({ G, D }, { x, z }) => ({ loss: cost(D(x).neg()).add(cost(D(G(z)))) }),
    },
    { update: ["G"], loss: ({ G, D }, { z }) => ({ loss: cost(D(G(z)).neg()) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});

const { samples } = await train({ recipe: mine, data: "ring8", cacheDir: cacheDir() });
console.log(samples); // the picture: where the data's points are, and where G puts its own
