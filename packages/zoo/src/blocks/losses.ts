import { cast, greater, less, mean, relu, softplus, type Tensor } from "@duelo/core";

/**
 * Mean of -log sigmoid(logits): cross entropy against "real". A `target` below 1 smooths that label
 * (Salimans et al. 2016, Section 3.4): -target log sigmoid - (1 - target) log(1 - sigmoid).
 */
export const bceReal = (logits: Tensor, { target = 1 }: { target?: number } = {}): Tensor => {
  const whole = mean(softplus(logits.mul(-1)));
  return target === 1 ? whole : whole.add(mean(logits).mul(1 - target));
};

/** Mean of -log(1 - sigmoid(logits)): cross entropy against "fake". */
export const bceFake = (logits: Tensor): Tensor => mean(softplus(logits));

/** What every recipe writes down about D: mean logits, and how often their sign is right. */
export function scores(o: {
  readonly real: Tensor;
  readonly fake: Tensor;
  /** Its name, where there are several. */
  readonly net?: string;
}): Record<string, Tensor> {
  const { real, fake, net = "D" } = o;
  return {
    [`${net}/real`]: mean(real),
    [`${net}/fake`]: mean(fake),
    [`${net}/accuracyReal`]: mean(cast(greater(real, 0), "float32")),
    [`${net}/accuracyFake`]: mean(cast(less(fake, 0), "float32")),
  };
}

/** Relativistic pairing (Jolicoeur-Martineau 2018): mean of -log sigmoid(better - worse), pair by pair. */
export const pairing = (o: { better: Tensor; worse: Tensor }): Tensor =>
  bceReal(o.better.sub(o.worse));

/**
 * Relativistic average (Jolicoeur-Martineau 2018, Section 4.3): one side against the mean of the other,
 * half of -log sigmoid(better - mean worse) - log sigmoid(mean better - worse).
 */
export const relativisticAverage = (o: { better: Tensor; worse: Tensor }): Tensor =>
  bceReal(o.better.sub(mean(o.worse)))
    .add(bceFake(o.worse.sub(mean(o.better))))
    .mul(0.5);

/** Mean of relu(1 - real) + relu(1 + fake) (Lim, Ye 2017; Miyato et al. 2018, Eq. 16). */
export const hinge = (o: { real: Tensor; fake: Tensor }): Tensor =>
  mean(relu(o.real.mul(-1).add(1))).add(mean(relu(o.fake.add(1))));
