import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { fromRoot, start } from "./paths.ts";

/** Milliseconds of each of some runs and, where it is known, how many of them the host took. */
export interface Times {
  readonly ms: readonly number[];
  readonly outsideMs?: readonly number[];
}

/** A process that runs a case and times it; ours or PyTorch's. */
export interface Peer {
  setup(options: { case: string; threads: number }): Promise<{ params: number }>;
  run(n: number): Promise<Times>;
  /** Most memory that the process has held, in bytes. */
  peak(): Promise<number>;
  quit(): void;
}

/** Starts Duelo's side. */
export const startOurs = (): Peer => peerOf(start("ours"));

/** The Python that has PyTorch, or nothing. */
export function findTorch(): string | undefined {
  return ["/usr/bin/python3", "python3"].find((python) => {
    try {
      execFileSync(python, ["-c", "import torch"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts PyTorch's side. */
export const startTorch = (python: string): Peer =>
  peerOf(spawn(python, [fromRoot("bench/torch/peer.py")]));

function peerOf(child: ChildProcessWithoutNullStreams): Peer {
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<Record<string, unknown>> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the peer ended: ${errors}`);
    const reply = JSON.parse(String(value)) as Record<string, unknown>;
    if ("error" in reply) throw new Error(String(reply["error"]));
    return reply;
  };
  return {
    setup: async (o) => ({ params: Number((await ask({ cmd: "setup", ...o }))["params"]) }),
    run: async (n) => (await ask({ cmd: "run", n })) as unknown as Times,
    peak: async () => Number((await ask({ cmd: "peak" }))["bytes"]),
    quit: () => child.stdin.end(`${JSON.stringify({ cmd: "quit" })}\n`),
  };
}
