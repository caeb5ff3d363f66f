/** All that can be said of a run. */
export const verdictNames = [
  "too early",
  "healthy",
  "D too strong",
  "D too weak",
  "mode collapse",
  "oscillation",
  "divergence",
  "memorising",
  "stalled",
  "finished improving",
] as const;
export type VerdictName = (typeof verdictNames)[number];

/** Verdicts that ask nothing of anyone. */
export const calmVerdicts: ReadonlySet<VerdictName> = new Set([
  "too early",
  "healthy",
  "finished improving",
]);
