import type { TrainRequest } from "@duelo/train";
import { jsonReporter, textReporter } from "./progress.ts";
import { planText } from "./plan-text.ts";
import { untilSignal } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** Trains, or only plans to, and tells about it as the flags ask. */
export async function trainAndTell(options: {
  request: TrainRequest;
  flags: { readonly json?: true; readonly dryRun?: true };
  terminal: Terminal;
}): Promise<void> {
  const { request, flags, terminal } = options;
  const reporter = flags.json ? jsonReporter(terminal) : textReporter(terminal);
  const { plan, train } = await import("@duelo/train");
  try {
    if (flags.dryRun) {
      const planned = await plan(request, { progress: reporter.data, warn: reporter.note });
      reporter.rest();
      terminal.out(flags.json ? `${JSON.stringify(planned)}\n` : planText(planned));
      return;
    }
    await untilSignal(
      async (signal) => reporter.end(await train(request, { ...reporter, signal })),
      () => reporter.note("Saving, then leaving. Once more leaves at once."),
    );
  } finally {
    reporter.rest();
  }
}
