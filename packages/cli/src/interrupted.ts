/** Work that a signal ended, after everything was saved. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** 130 after Ctrl-C, 143 after SIGTERM. */
  readonly exitCode: number;
  constructor(exitCode: number) {
    super("interrupted");
    this.exitCode = exitCode;
  }
}
