import type { HealthResult } from "./results.ts";
import type { Setup } from "./setups.ts";

/**
 * Broken: whether the right name is said in the end. Healthy: whether nothing but harmless names was ever
 * said, however shortly.
 */
export const isRight = ({ broken, right }: Setup, { said, timeline }: HealthResult): boolean =>
  broken === undefined ? timeline.every(({ name }) => right.includes(name)) : right.includes(said);

/** How often verdicts are right, in a sentence, and all rows in Markdown. */
export function healthText(setups: readonly Setup[], results: readonly HealthResult[]): string {
  const rows = setups.flatMap((setup) => {
    const result = results.find(({ row }) => row === setup.name);
    return result === undefined ? [] : [{ setup, result }];
  });
  const count = (isBroken: boolean) => {
    const these = rows.filter(({ setup }) => (setup.broken !== undefined) === isBroken);
    const right = these.filter(({ setup, result }) => isRight(setup, result)).length;
    return { of: these.length, right };
  };
  const [caught, calm] = [count(true), count(false)];
  const seeds = [...new Set(results.map(({ seed }) => seed))].join(", ");
  const missing = setups.length - rows.length;
  const sentence = `Seed ${seeds}: ${caught.right} of ${caught.of} broken runs are called by the right name in the end, and ${calm.of - calm.right} of ${calm.of} healthy ones raise a false alarm.${missing === 0 ? "" : ` ${missing} rows were not run.`}`;
  const lines = rows.map(({ setup, result }) => {
    const said = `${result.said}${isRight(setup, result) ? "" : " (**wrong**)"}`;
    const all = result.timeline.map(({ name, from }) => `${name} ${from}`).join(", ");
    const right = setup.broken === undefined ? "harmless" : setup.right.join(" or ");
    return `| ${[setup.name, right, said, all].join(" | ")} |`;
  });
  return [
    sentence,
    "",
    "| run | right | said in the end | all that was said, with its first step |",
    "| --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}
