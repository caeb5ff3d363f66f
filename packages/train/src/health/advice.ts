import type { VerdictName } from "./verdict-name.ts";

/** One thing to do, for each verdict. */
export const advice: Readonly<Record<VerdictName, string>> = {
  "too early":
    "Wait for a few more looks; samples made from other pictures get none, and duelo eval judges them.",
  healthy: "Let it train.",
  "D too strong": "Lower D's learning rate or its updates a step, or widen G.",
  "D too weak": "Raise D's learning rate or widen D.",
  "mode collapse": "Try wgan-gp, or a lower learning rate for G.",
  oscillation: "Lower both learning rates, or Adam's beta1.",
  divergence: "Lower the learning rate.",
  memorising: "Give it more data, or stop at an earlier step.",
  stalled: "Raise the learning rate.",
  "finished improving": "Stop here: more steps change little.",
};
