import { FailureError } from "@duelo/core";
import { errorCode } from "./file-system.ts";

/**
 * Runs an operation on the disk; an error of the system becomes a sentence for the user.
 * @param text the task ("write FILE"), how much space it needs if that is known, and what is safe
 */
export async function onDisk<T>(
  text: { task: string; need?: () => string; safe: string | (() => Promise<string>) },
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    const need = text.need ? `: it needs ${text.need()}` : "";
    const problem = isFull
      ? `No space left to ${text.task}${need}.`
      : `Could not ${text.task} (${error.message}).`;
    const safe = typeof text.safe === "string" ? text.safe : await text.safe();
    throw new FailureError(`${problem} ${safe}`, { cause: error });
  }
}
