import { run } from "./run.ts";
import { processTerminal } from "./terminal.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0); // whoever read it has seen enough
    throw error;
  });
}
process.exitCode = await run(process.argv.slice(2), processTerminal());
