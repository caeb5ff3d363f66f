import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";

export function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command("doctor")
    .description("say how a run is doing and why; without a run, what this machine offers")
    .argument("[run]", "its number, its name, latest, or the path of its folder")
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--json", "print it as JSON")
    .addHelpText("after", "\nExamples:\n  duelo doctor\n  duelo doctor latest")
    .action(async (run: string | undefined, { json, runs }: { json?: true; runs: string }) => {
      const print = <T>(found: T, text: (found: T) => string): void =>
        terminal.out(json ? `${JSON.stringify(found, null, 2)}\n` : text(found));
      if (run === undefined) {
        const { diagnose, diagnosisText } = await import("../diagnose.ts");
        print(await diagnose(), diagnosisText);
        return;
      }
      const { examineRun } = await import("@duelo/train");
      const { examinationText } = await import("../examination-text.ts");
      print(await examineRun({ runs, run }), examinationText);
    });
}
