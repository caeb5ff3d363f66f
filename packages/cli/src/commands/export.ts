import type { Command } from "commander";
import { byteSize } from "../format.ts";
import type { Terminal } from "../terminal.ts";

export function addExport(program: Command, terminal: Terminal): void {
  program
    .command("export")
    .description("write the generator of a run as one ONNX file")
    .argument("<run>", "its number, its name, latest, or the path of its folder")
    .option("--out <file>", "where to", "G.onnx")
    .option("--runs <folder>", "folder of run folders", "runs")
    .addHelpText("after", "\nExample:\n  duelo export latest --out emoji.onnx")
    .action(async (run: string, flags: { out: string; runs: string }) => {
      const { exportRun } = await import("@duelo/train");
      const { path, nBytes } = await exportRun({ run, ...flags });
      terminal.err(`${byteSize(nBytes)}; its metadata says how to feed it\n`);
      terminal.out(`${path}\n`);
    });
}
