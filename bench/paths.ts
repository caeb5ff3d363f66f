import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Whether this is built, as `npm run bench` runs it: a loader of TypeScript would add to the memory. */
const built = import.meta.url.endsWith(".js");

/** The path of a file, given from the root of the repository. */
export const fromRoot = (path: string): string =>
  fileURLToPath(new URL(path, new URL(built ? "../../" : "../", import.meta.url)));

/** The arguments that run a program of this folder in Node. */
const program = (name: string): string[] =>
  built
    ? [fromRoot(`bench/dist/${name}.js`)]
    : ["--conditions=source", "--import", "tsx", fromRoot(`bench/${name}.ts`)];

export const start = (name: string): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, program(name));

export function runToEnd(name: string, args: readonly string[]): void {
  execFileSync(process.execPath, [...program(name), ...args], { stdio: "ignore" });
}
