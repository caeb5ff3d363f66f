import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import { trainAndTell } from "../train-and-tell.ts";
import { addRunOptions, runRequest, type RunFlags } from "./train.ts";

/** The first thing to try: real pictures that come with the package, and a network that learns them in minutes. */
const first = {
  recipe: "dcgan",
  data: "emoji",
  select: { group: "smileys-emotion" },
  flip: true,
  preset: "small",
};

export function addStart(program: Command, terminal: Terminal): void {
  addRunOptions(
    program
      .command("start")
      .description(
        `train ${first.recipe} on the faces of the ${first.data} set, in a few minutes on two cores`,
      ),
  )
    .addHelpText("after", "\nExample:\n  duelo start")
    .action(async (flags: RunFlags) => {
      await trainAndTell({ request: { ...runRequest(flags), ...first }, flags, terminal });
    });
}
