import { Command } from "commander";
import { addBench } from "./commands/bench.ts";
import { addData } from "./commands/data.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExport } from "./commands/export.ts";
import { addList } from "./commands/list.ts";
import { addSample } from "./commands/sample.ts";
import { addShow } from "./commands/show.ts";
import { addStart } from "./commands/start.ts";
import { addTrain } from "./commands/train.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** All commands. Nothing heavy is loaded until one of them runs. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command("duelo")
    .description("Trains, judges and ships generative adversarial networks.")
    .version(version())
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(usageSentence(text)),
    });
  for (const add of [
    addStart,
    addTrain,
    addSample,
    addExport,
    addList,
    addShow,
    addData,
    addDoctor,
    addBench,
  ]) {
    add(program, terminal);
  }
  return program.addHelpText("after", "\nBegin with:\n  duelo start");
}

/** `error: unknown option '--x'\n(Did you mean --y?)` as a sentence. */
function usageSentence(text: string): string {
  const [problem = "", hint] = text.trim().split("\n");
  const plain = problem.replace(/^error: /, "").replace(/\.$/, "");
  const near = hint === undefined ? "" : ` ${hint.replace(/^\(|\)$/g, "")}`;
  const help = " See duelo --help.";
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.${near === "" ? help : near}\n`;
}
