import { run } from "../packages/cli/src/run.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const plain = (text: string): string => text;

/** Runs a command line of Duelo in this process, as a log file would see it. */
export async function duelo(...args: readonly string[]): Promise<Ran> {
  const written = { out: "", err: "" };
  const code = await run(args, {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    live: false,
    columns: 80,
    bold: plain,
    dim: plain,
  });
  return { code, ...written };
}
