import * as node from "@duelo/runtime";
import * as web from "@duelo/runtime/web";
import { expect, it } from "vitest";
import { dcganSteps, deviation } from "./dcgan-steps.ts";

it("dcgan trains in WASM as it does in Node", async () => {
  const inNode = await node.openRuntime({ threads: 1 });
  const inWasm = await web.openRuntime({ threads: 1 });
  const wanted = await dcganSteps(inNode, 3);
  const got = await dcganSteps(inWasm, 3);
  expect(wanted.losses.flat().every((v) => v > 0.1 && v < 10)).toBe(true);
  expect(wanted.losses[2]).not.toEqual(wanted.losses[0]);
  const { losses, state } = deviation(wanted, got);
  expect(losses).toBeLessThan(1e-5);
  expect(state).toBeLessThan(1e-4);
  await inNode.close();
  await inWasm.close();
});
