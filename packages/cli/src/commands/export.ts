import type { Command } from "commander";
import { byteSize } from "../format.ts";
import type { Terminal } from "../terminal.ts";

export function addExport(program: Command, terminal: Terminal): void {
  program
    .command("export")
    .description("write the generator or a function of a run as one ONNX file")
    .argument("<run>", "its number, its name, latest, or the path of its folder")
    .option("--function <name>", "what to write in place of the generator; show lists them")
    .option("--out <file>", "where to (default: G.onnx, or NAME-OF-FUNCTION.onnx)")
    .option("--best", "the best checkpoint of the run, not the last")
    .option("--runs <folder>", "folder of run folders", "runs")
    .addHelpText(
      "after",
      "\nExamples:\n  duelo export latest --out emoji.onnx\n  duelo export 0002 --function encode",
    )
    .action(async (run: string, flags: ExportFlags) => {
      const { exportRun } = await import("@duelo/train");
      const { path, nBytes } = await exportRun({
        run,
        out: `${flags.function ?? "G"}.onnx`,
        ...flags,
      });
      terminal.err(`${byteSize(nBytes)}; its metadata says how to feed it\n`);
      terminal.out(`${path}\n`);
    });
}

interface ExportFlags {
  readonly function?: string;
  readonly out?: string;
  readonly best?: true;
  readonly runs: string;
}
