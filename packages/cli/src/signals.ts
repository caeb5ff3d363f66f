import { constants } from "node:os";
import { Interrupted } from "./interrupted.ts";

const caught = ["SIGINT", "SIGTERM"] as const;
/** One Ctrl-C can come twice: from the terminal, and handed on by `npx` or `timeout` in front of us. */
const echoMs = 500;

/**
 * Runs `work` so that Ctrl-C or SIGTERM asks it to save and leave, and another, half a second later
 * or of the other kind, ends the process at once. Throws Interrupted when the work was asked to leave and did.
 */
export async function untilSignal<T>(
  work: (signal: AbortSignal) => Promise<T>,
  onFirst: () => void,
): Promise<T> {
  const controller = new AbortController();
  let first: { readonly code: number; readonly atMs: number } | undefined;
  const heard = (signal: (typeof caught)[number]): void => {
    const code = 128 + constants.signals[signal];
    const atMs = performance.now();
    if (first === undefined) {
      first = { code, atMs };
      onFirst();
      controller.abort();
    } else if (code !== first.code || atMs - first.atMs >= echoMs) process.exit(code);
  };
  for (const signal of caught) process.on(signal, heard);
  try {
    const result = await work(controller.signal);
    if (first !== undefined) throw new Interrupted(first.code);
    return result;
  } catch (error) {
    const aborted = error instanceof Error && error.name === "AbortError";
    throw aborted && first !== undefined ? new Interrupted(first.code) : error;
  } finally {
    for (const signal of caught) process.off(signal, heard);
  }
}
