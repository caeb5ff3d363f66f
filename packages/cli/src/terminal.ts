import { styleText } from "node:util";

/** Where a command writes: results go to `out`, everything that is said about them to `err`. */
export interface Terminal {
  /** Writes text to stdout as it is. */
  out(text: string): void;
  /** Writes text to stderr as it is. */
  err(text: string): void;
  /** Whether a person watches stderr, so that a line may be drawn over. */
  readonly live: boolean;
  /** Columns of that person's window. */
  readonly columns: number;
  /** Emphasis on stdout, where it can be shown and NO_COLOR does not forbid it. */
  bold(text: string): string;
  dim(text: string): string;
}

/** Text of one line without characters that would move the cursor or colour the terminal, as names of files may have. */
export const printable = (text: string): string => text.replace(/(?!\t)\p{Cc}/gu, "\ufffd");

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    live: stderr.isTTY && process.env["TERM"] !== "dumb",
    get columns() {
      return stderr.columns || 80; // a terminal that does not know says 0
    },
    bold: (text) => styleText("bold", text, { stream: stdout }),
    dim: (text) => styleText("dim", text, { stream: stdout }),
  };
}
