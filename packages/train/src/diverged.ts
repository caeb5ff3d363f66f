import { FailureError } from "@duelo/core";

/** A run that came to NaN or infinity: a failure of its options, not of the machine. */
export class Diverged extends FailureError {}
