import { input, interpret, Scope, Variables, type Tensor } from "@duelo/core";
import { expect, test } from "vitest";
import { pooled } from "./pool.ts";

const size = 3;

/** One call on images of one pixel: what D is shown, and the state that follows. */
function call(
  state: { pool: readonly number[]; count: number },
  fresh: readonly number[],
  coin: readonly number[],
  place: readonly number[],
) {
  const n = fresh.length;
  const updates = new Map<string, Tensor>();
  const variables = new Variables();
  const s = new Scope({ variables, path: "state", training: true, updates });
  const inputs = {
    fresh: input("fresh", { shape: [n, 1, 1, 1] }),
    coin: input("coin", { shape: [n] }),
    place: input("place", { shape: [n], dtype: "int32" }),
  };
  const shown = pooled(s, "A", { ...inputs, size });
  const [pool, count] = ["state.poolA", "state.countA"].map((name) => updates.get(name));
  if (pool === undefined || count === undefined) throw new Error("the pool is not kept");
  const graph = {
    inputs: [...Object.values(inputs), ...variables.inputs.values()],
    outputs: { shown, pool, count },
  };
  const feeds = { fresh, coin, place, "state.poolA": state.pool, "state.countA": [state.count] };
  const out = interpret(graph, feeds);
  return {
    shown: Array.from(out["shown"]?.data ?? []),
    state: { pool: Array.from(out["pool"]?.data ?? []), count: out["count"]?.data[0] ?? NaN },
  };
}

test("fills, then shows an old image for every second new one", () => {
  const first = call({ pool: [0, 0, 0], count: 0 }, [1, 2], [0.1, 0.9], [2, 2]);
  expect(first).toEqual({ shown: [1, 2], state: { pool: [1, 2, 0], count: 2 } });
  // The third place fills, whatever the coin; then a head swaps and a tail does not.
  const second = call(first.state, [3, 4, 5], [0.1, 0.1, 0.9], [0, 0, 1]);
  expect(second).toEqual({ shown: [3, 1, 5], state: { pool: [4, 2, 3], count: 3 } });
  // Two swaps at one place within a batch: the second finds what the first has left.
  const third = call(second.state, [6, 7], [0.4, 0.4], [1, 1]);
  expect(third).toEqual({ shown: [2, 6], state: { pool: [4, 7, 3], count: 3 } });
});
