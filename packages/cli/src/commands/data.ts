import type { Command } from "commander";
import { pair } from "../parse.ts";
import type { Terminal } from "../terminal.ts";

export function addData(program: Command, terminal: Terminal): void {
  const data = program.command("data").description("look at data before training");
  data
    .command("check")
    .description("count, measure and open every record; changes nothing")
    .argument("<set>", "a named set, a folder of pictures, or a file")
    .option("--select <key=value>", "narrow a named set, such as group=flags", pair)
    .option("--sheet <file>", "write a contact sheet of up to 100 pictures as a PNG")
    .option("--json", "print the report as JSON")
    .addHelpText("after", "\nExample:\n  duelo data check ./photos --sheet sheet.png")
    .action(async (set: string, flags: CheckFlags) => {
      const { checkAndTell } = await import("../check-and-tell.ts");
      await checkAndTell({ ...flags, spec: set, terminal });
    });
}

interface CheckFlags {
  readonly select?: Record<string, string>;
  readonly sheet?: string;
  readonly json?: true;
}
