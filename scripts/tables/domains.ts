// Which mode of ring10 each mode of ring5 becomes, with and without the ways home:
//
//   npx tsx scripts/tables/domains.ts --steps N --seeds 5 (after npm run build)
//
// The first 2,500 points of ring5 go through the trained net. A mode of ring5 becomes that mode of ring10
// which is nearest to most of its points.
import { mixtureScores, openData, openFunction, readField, toys, train } from "@duelo/train";
import { join } from "node:path";
import { parseArgs } from "node:util";

const nPoints = 2500;
const ways = ["one", "home", "both"] as const;

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "10000" },
    seeds: { type: "string", default: "5" },
    runs: { type: "string", default: "runs/domains" },
  },
});

const given = await openData({ spec: "ring5", domain: "vector", cacheDir: "" });
const a = readField(
  given,
  "x",
  Int32Array.from({ length: nPoints }, (_, i) => i),
);

/** The number of the nearest mean of each point. */
const nearest = (points: ArrayLike<number>, means: readonly (readonly [number, number])[]) =>
  Array.from({ length: nPoints }, (_, i) => {
    const distances = means.map(([x, y]) =>
      Math.hypot((points[2 * i] ?? 0) - x, (points[2 * i + 1] ?? 0) - y),
    );
    return distances.indexOf(Math.min(...distances));
  });
const from = nearest(a.data, toys.ring5.means);

/** For each mode of ring5 the mode of ring10 that most of its points go to. */
function becomes(points: ArrayLike<number>): number[] {
  const to = nearest(points, toys.ring10.means);
  return toys.ring5.means.map((_, mode) => {
    const counts = toys.ring10.means.map(
      (_, other) => to.filter((t, i) => t === other && from[i] === mode).length,
    );
    return counts.indexOf(Math.max(...counts));
  });
}

const mean = (v: readonly number[]): string => (v.reduce((s, x) => s + x, 0) / v.length).toFixed(2);

for (const way of ways) {
  const distinct: number[] = [];
  const good: number[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const runs = join(values.runs, way);
    const { dir, seconds } = await train({
      ...{ recipe: "discogan-2d", data: "ring5", to: "ring10", set: { ways: way }, seed, runs },
      ...{ budget: { steps: Number(values.steps) }, threads: 1, cacheDir: "" },
    });
    const f = await openFunction({ runs, run: dir, function: "toB", threads: 1 });
    const { toB } = await f.call({ a });
    await f.close();
    const data = Float32Array.from(toB?.data ?? []);
    const { highQuality } = mixtureScores({
      samples: { rows: nPoints, cols: 2, data },
      ...toys.ring10,
    });
    const homes = becomes(data);
    distinct.push(new Set(homes).size);
    good.push(100 * highQuality);
    console.log(
      `${way}, seed ${seed}: ${new Set(homes).size} of 5 apart (${homes.join(" ")}), ${(100 * highQuality).toFixed(1)} % of high quality, ${seconds.toFixed(0)} s`,
    );
  }
  console.log(`${way}: ${mean(distinct)} of 5 apart, ${mean(good)} % of high quality`);
}
given.close();
