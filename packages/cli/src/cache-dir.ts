import { homedir } from "node:os";
import { join } from "node:path";

/** Where decoded data is kept: `$XDG_CACHE_HOME/duelo`, or `~/.cache/duelo`. It can be deleted at any time. */
export function cacheDir(): string {
  const base = process.env["XDG_CACHE_HOME"];
  return join(base === undefined || base === "" ? join(homedir(), ".cache") : base, "duelo");
}
