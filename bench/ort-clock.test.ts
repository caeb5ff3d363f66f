import { expect, test } from "vitest";
import { clockRuns } from "./ort-clock.ts";

test("time in run is added up between two looks, whether it ends well or not", async () => {
  let nowMs = 0;
  class Session {
    run(takesMs: number): Promise<number> {
      nowMs += takesMs;
      return takesMs > 100 ? Promise.reject(new Error("too long")) : Promise.resolve(takesMs);
    }
  }
  const lap = clockRuns(Session.prototype, () => nowMs);
  const [one, other] = [new Session(), new Session()];
  expect(await one.run(3)).toBe(3);
  nowMs += 1000;
  await other.run(4);
  expect(lap()).toBe(7);
  expect(lap()).toBe(0);
  await expect(one.run(200)).rejects.toThrow("too long");
  expect(lap()).toBe(200);
});
