interface Session {
  run(...args: never[]): Promise<unknown>;
}

/**
 * Adds up the time that a class of sessions spends in `run`, from now on. The function that it returns
 * gives the milliseconds since it was last called.
 */
export function clockRuns(
  prototype: Session,
  now: () => number = () => performance.now(),
): () => number {
  let insideMs = 0;
  const run = prototype.run;
  prototype.run = async function (...args) {
    const began = now();
    try {
      return await run.apply(this, args);
    } finally {
      insideMs += now() - began;
    }
  };
  return () => {
    const lapMs = insideMs;
    insideMs = 0;
    return lapMs;
  };
}
