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
  let exitCode: number | undefined;
  let firstMs = 0;
  const heard = (signal: (typeof caught)[number]): void => {
    const code = 128 + constants.signals[signal];
    if (exitCode !== undefined) {
      const isEcho = code === exitCode && performance.now() - firstMs < echoMs;
      if (!isEcho) process.exit(code);
      return;
    }
    [exitCode, firstMs] = [code, performance.now()];
    onFirst();
    controller.abort();
  };
  for (const signal of caught) process.on(signal, heard);
  try {
    const result = await work(controller.signal);
    if (exitCode !== undefined) throw new Interrupted(exitCode);
    return result;
  } catch (error) {
    const aborted = error instanceof Error && error.name === "AbortError";
    throw aborted && exitCode !== undefined ? new Interrupted(exitCode) : error;
  } finally {
    for (const signal of caught) process.off(signal, heard);
  }
}
