import { CommanderError } from "commander";
import { Interrupted } from "./interrupted.ts";
import { createProgram } from "./program.ts";
import { printable, type Terminal } from "./terminal.ts";

/**
 * Runs the command line `args` and says how it ended: 0; 2 for a mistake of the user's; 1 for a
 * failure; 130 or 143 when Ctrl-C or SIGTERM ended training.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync(args.length === 0 ? ["--help"] : args, {
      from: "user",
    });
    return 0;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

function exitCodeOf(error: unknown, terminal: Terminal): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has said it
  if (process.env["DUELO_DEBUG"] === "1" && error instanceof Error) {
    terminal.err(`${error.stack ?? error.message}\n`);
  } else {
    terminal.err(`${sentence(error)}\n`);
  }
  return error instanceof Error && error.name === "UserError" ? 2 : 1;
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = error.name === "UserError" || error.name === "FailureError";
  const hint = known
    ? ""
    : " This is a fault of Duelo or of what it runs on; DUELO_DEBUG=1 shows where.";
  const lines = error.message.split("\n").map(printable).join("\n");
  return `${lines.replace(/(?<![.!?])$/, ".")}${hint}`;
}
