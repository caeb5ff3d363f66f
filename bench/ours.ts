// Duelo's side of the benchmarks: one long-lived process that speaks the protocol of
// bench/torch/peer.py, one JSON object a line, and also says how much of each run was spent
// outside ONNX Runtime.
import { openRuntime } from "@duelo/runtime";
import { InferenceSession } from "onnxruntime-node";
import { createInterface } from "node:readline";
import { cases, type Work } from "./cases.ts";
import { clockRuns } from "./ort-clock.ts";

const nWarm = 2;

interface Request {
  readonly cmd: "setup" | "run" | "peak" | "quit";
  readonly case?: string;
  readonly threads?: number;
  readonly n?: number;
}

// A class, which its type does not say.
const { prototype } = InferenceSession as unknown as { prototype: InferenceSession };
const insideOrt = clockRuns(prototype);
let work: Work | undefined;

async function answer(request: Request): Promise<Record<string, unknown>> {
  if (request.cmd === "setup") {
    const make = cases[request.case ?? ""];
    if (make === undefined) throw new Error(`unknown case ${request.case}`);
    work = await make(await openRuntime({ threads: request.threads ?? 2 }));
    for (let i = 0; i < nWarm; i++) await work.run();
    return { ready: true, params: work.params };
  }
  if (request.cmd === "peak") return { bytes: process.resourceUsage().maxRSS * 1024 };
  const ms: number[] = [];
  const outsideMs: number[] = []; // of it, what was not spent in a session's run
  insideOrt();
  for (let i = 0; i < (request.n ?? 1); i++) {
    const began = performance.now();
    await work?.run();
    const took = performance.now() - began;
    ms.push(took);
    outsideMs.push(took - insideOrt());
  }
  return { ms, outsideMs };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request;
  if (request.cmd === "quit") break;
  console.log(JSON.stringify(await answer(request)));
}
process.exit(0);
