import { expect, test } from "vitest";
import { topological } from "../graph.ts";
import { cases } from "../testing/cases.ts";
import { caseGraph, checkGrad } from "../testing/check-grad.ts";
import { ops } from "./index.ts";

test("the table names each operation as it names itself", () => {
  expect(Object.entries(ops).map(([key]) => key)).toEqual(Object.values(ops).map((op) => op.name));
});

test("every operation has a case in which it occurs", () => {
  const shown = cases.flatMap((c) => {
    const nodes = topological(Object.values(caseGraph(c).graph.outputs)).map((n) => n.op.name);
    const name = c.name.split(":")[0] ?? "";
    return nodes.includes(name) ? [name] : [];
  });
  expect(Object.keys(ops).filter((name) => !shown.includes(name))).toEqual([]);
});

test.each(cases)("gradients of $name", (c) => {
  checkGrad(c);
});
