import type { Plan } from "@duelo/train";
import { byteSize, count, plural, table } from "./format.ts";

/** What `--dry-run` prints. */
export function planText(plan: Plan): string {
  const { data, parameters, graphs, budget } = plan;
  const classes = data.nClasses > 0 ? `, ${count(data.nClasses)} classes` : "";
  const [unit, amount] = Object.entries(budget)[0] ?? ["steps", 0];
  const rows = [
    ["recipe", `${plan.recipe}, preset ${plan.preset}`],
    [
      "data",
      `${data.name}: ${plural(data.nRecords, "record")} of [${data.shape.join(", ")}]${classes}`,
    ],
    ["budget", `${count(amount)} ${unit}`],
    ...Object.entries(plan.options).map(([name, value]) => [`  ${name}`, String(value)]),
    ...Object.entries(parameters).map(([net, n]) => [`net ${net}`, plural(n, "parameter")]),
    ...graphs.map((g) => [
      `graph ${g.updates.join("+")}`,
      `${plural(g.nNodes, "node")}, about ${byteSize(g.peakBytes)} while it runs`,
    ]),
    ["state", `${byteSize(plan.stateBytes)} of parameters, optimiser slots and averages`],
  ];
  return table(rows);
}
