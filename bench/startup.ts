import { execFileSync } from "node:child_process";
import { fromRoot } from "./paths.ts";

const main = fromRoot("packages/cli/dist/main.js");

/** Milliseconds from start to end of `duelo --help`, from the built package; the median of 9. */
export function startup(): number {
  const times = Array.from({ length: 9 }, () => {
    const began = performance.now();
    execFileSync(process.execPath, [main, "--help"], { stdio: "ignore" });
    return performance.now() - began;
  });
  return times.toSorted((a, b) => a - b)[4] ?? Number.NaN;
}
