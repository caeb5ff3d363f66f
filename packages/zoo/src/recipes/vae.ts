import { adam, exp, nn, sizeOf, softplus, square, sum, type Net, type Tensor } from "@duelo/core";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// The variational autoencoder: not a duel, but the rival to compare with. An encoder gives each
// image a normal distribution over z; the decoder puts the image together again.

type Encoder = Net<readonly [x: Tensor], { mu: Tensor; logVar: Tensor }>;

export default recipe({
  name: "vae",
  about: "the variational autoencoder, the rival that GANs are compared with",
  paper: "arXiv:1312.6114",
  sources: ["[1] pytorch/examples vae/main.py", "paper: Eq. 10, Appendix B, Appendix C.1"],
  differences: [
    "The nets are called E and G; their layers keep the names of [1].",
    "Sizes, ReLU, Adam and the batch are those of [1]; the paper has tanh, Adagrad and a batch of 100.",
    "Cross entropy of logits, with no clamping; one version of [1] clamps, and adds the normalising constant of the continuous Bernoulli.",
    "Samples are the means of the pixels, as [1] draws them.",
  ],
  data: { x: image({ range: [0, 1], size: [28, 28] }) },
  options: {
    batch: int({ default: 128, min: 1, max: 4096, about: "images in a batch", source: "[1]" }),
    zDim: int({ default: 20, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    width: int({
      default: 400,
      min: 1,
      max: 16_384,
      about: "units in the hidden layers",
      source: "[1]",
    }),
    lr: number({ default: 1e-3, min: 0, max: 1, about: "learning rate", source: "[1]" }),
  },
  presets: {
    paper: { about: "the settings of [1]: 10 passes of 60,000 images", steps: 4690 },
    small: { about: "a minute or two on two cores", steps: 4690 },
  },
  nets: (c) => {
    const nPixels = sizeOf(c.shape.x);
    const E: Encoder = (s, x) => {
      const h = s.child("fc1", (l) =>
        nn.compose(nn.flatten, nn.linear({ out: c.width }), nn.relu)(l, x),
      );
      return {
        mu: s.child("fc21", (l) => nn.linear({ out: c.zDim })(l, h)), // [N, zDim]
        logVar: s.child("fc22", (l) => nn.linear({ out: c.zDim })(l, h)),
      };
    };
    const logits = nn.named({
      fc3: nn.compose(nn.linear({ out: c.width }), nn.relu),
      fc4: nn.compose(nn.linear({ out: nPixels }), nn.reshape(c.shape.x)),
    });
    return { E, G: logits };
  },
  optimizer: (c) => ({ E: adam({ lr: c.lr }), G: adam({ lr: c.lr }) }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: (c) => [
    {
      update: ["E", "G"],
      loss({ E, G }, { x, z }) {
        const { mu, logVar } = E(x);
        const logits = G(mu.add(exp(logVar.mul(0.5)).mul(z))); // the reparametrisation trick (Section 2.4)
        // Cross entropy and divergence, both summed: averaging one of them makes z collapse.
        const reconstruction = sum(softplus(logits).sub(logits.mul(x)));
        const divergence = sum(square(mu).add(exp(logVar)).sub(logVar).sub(1)).mul(0.5); // (Appendix B)
        return {
          loss: reconstruction.add(divergence), // minus the bound (Eq. 10), summed over the batch
          log: {
            "bound/reconstruction": reconstruction.mul(1 / c.batch),
            "bound/divergence": divergence.mul(1 / c.batch),
          },
        };
      },
    },
  ],
  sample: ({ G }, { z }) => G(z).sigmoid(),
  functions: () => ({
    encode: {
      about: "mean and log of the variance of z, given an image: mu, logVar",
      call: ({ E }, { x }) => E(x),
    },
    reconstruct: {
      about: "an image through the mean of its z and back",
      call: ({ E, G }, { x }) => G(E(x).mu).sigmoid(),
    },
  }),
});
