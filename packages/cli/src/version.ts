import { readFileSync } from "node:fs";

/** The version of the `duelo` package. */
export function version(): string {
  const path = new URL("../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
  return version;
}
