/**
 * A mistake that the user can mend: bad input, an unknown option, a file that cannot be read.
 * The message is one or two clear sentences (what, where, what to do). Commands print it without a
 * stack trace and exit with code 2.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}

/**
 * Something that failed without the user's fault and that no retry inside can mend (a full disk, a
 * device that vanished). Commands print the message without a stack trace and exit with code 1.
 */
export class FailureError extends Error {
  override readonly name = "FailureError";
}

/** A graph that cannot be built: which operation, what came, what was expected, where, what to try. */
export class GraphError extends UserError {
  constructor(parts: { op: string; problem: string; at?: string; hint?: string }) {
    const where = parts.at ? ` At ${parts.at}.` : "";
    const hint = parts.hint ? ` ${parts.hint}` : "";
    super(`${parts.op}: ${parts.problem}.${where}${hint}`);
  }
}
