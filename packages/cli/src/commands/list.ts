import type { Command } from "commander";
import { table } from "../format.ts";
import type { Terminal } from "../terminal.ts";

export function addList(program: Command, terminal: Terminal): void {
  program
    .command("list")
    .description("list recipes and data sets")
    .addHelpText("after", "\nExample:\n  duelo list")
    .action(async () => {
      const [{ recipes }, { namedSets }] = await Promise.all([
        import("@duelo/zoo"),
        import("@duelo/train"),
      ]);
      const { bold } = terminal;
      terminal.out(`${bold("Recipes")}   duelo show RECIPE tells more\n`);
      terminal.out(
        table(
          recipes.map((r) => [r.name, r.paper, r.about]),
          "  ",
        ),
      );
      terminal.out(`\n${bold("Data sets")}   or the path of a folder of pictures, or a file\n`);
      const sets = namedSets.map((s) => {
        const missing = s.find() === undefined ? `  (not installed. ${s.get})` : "";
        return [s.name, `${s.about}${missing}`];
      });
      terminal.out(table(sets, "  "));
    });
}
