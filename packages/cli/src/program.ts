import { Command } from "commander";
import { addBench } from "./commands/bench.ts";
import { addCompare } from "./commands/compare.ts";
import { addData } from "./commands/data.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEdit } from "./commands/edit.ts";
import { addEval } from "./commands/eval.ts";
import { addExport } from "./commands/export.ts";
import { addImport } from "./commands/import.ts";
import { addInterpolate } from "./commands/interpolate.ts";
import { addList } from "./commands/list.ts";
import { addMix } from "./commands/mix.ts";
import { addProject } from "./commands/project.ts";
import { addRestore } from "./commands/restore.ts";
import { addSample } from "./commands/sample.ts";
import { addShow } from "./commands/show.ts";
import { addStart } from "./commands/start.ts";
import { addColorize, addTranslate } from "./commands/translate.ts";
import { addTrain } from "./commands/train.ts";
import { addTruncate } from "./commands/truncate.ts";
import { addTune } from "./commands/tune.ts";
import { addUpscale } from "./commands/upscale.ts";
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
    });
  for (const add of [
    addStart,
    addTrain,
    addTune,
    addSample,
    addTranslate,
    addColorize,
    addInterpolate,
    addMix,
    addTruncate,
    addProject,
    addEdit,
    addRestore,
    addUpscale,
    addExport,
    addImport,
    addEval,
    addCompare,
    addList,
    addShow,
    addData,
    addDoctor,
    addBench,
  ]) {
    add(program, terminal);
  }
  sayInSentences(program, "duelo");
  return program.addHelpText("after", "\nBegin with:\n  duelo start");
}

/** Gives a command and all below it errors that are sentences. */
function sayInSentences(command: Command, path: string): void {
  command.configureOutput({
    outputError: (text, write) => write(usageSentence(text, `${path} --help`)),
  });
  for (const below of command.commands) sayInSentences(below, `${path} ${below.name()}`);
}

/** `error: unknown option '--x'\n(Did you mean --y?)` as a sentence. */
function usageSentence(text: string, help: string): string {
  const [problem = "", hint] = text.trim().split("\n");
  const plain = problem.replace(/^error: /, "").replace(/\.$/, "");
  const next = hint?.replace(/^\(|\)$/g, "") ?? `See ${help}.`;
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}. ${next}\n`;
}
