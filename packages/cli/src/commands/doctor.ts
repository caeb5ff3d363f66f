import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";

export function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command("doctor")
    .description("show versions, devices, data sets and speed, and what to install for more")
    .option("--json", "print it as JSON")
    .addHelpText("after", "\nExample:\n  duelo doctor")
    .action(async ({ json }: { json?: true }) => {
      const { diagnose, diagnosisText } = await import("../diagnose.ts");
      const diagnosis = await diagnose();
      terminal.out(json ? `${JSON.stringify(diagnosis, null, 2)}\n` : diagnosisText(diagnosis));
    });
}
