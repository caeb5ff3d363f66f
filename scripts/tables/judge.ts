import { setups } from "/work/wt/lead/scripts/tables/health/setups.ts";
import { healthResult, runsOf } from "/work/wt/lead/scripts/tables/health/results.ts";
import { isRight } from "/work/wt/lead/scripts/tables/health/page.ts";
const seed = Number(process.argv[2]);
for (const s of setups) {
  const r = await healthResult(runsOf({ root: "runs/health", name: s.name, seed }));
  if (r)
    console.log(
      isRight(s, r) ? "  " : "XX",
      r.cpuSeconds,
      s.name,
      "|",
      r.said,
      r.distance?.toFixed(3),
      "|",
      r.timeline.map((t) => `${t.name} ${t.from}`).join(", "),
    );
}
