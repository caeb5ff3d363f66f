import { UserError } from "@duelo/core";

/** How long to train. */
export type Budget =
  | { readonly steps: number }
  | { readonly images: number }
  | { readonly minutes: number };

/** How far a run has come. */
export interface Counters {
  readonly step: number;
  /** Real records drawn. */
  readonly nImages: number;
  /** Of training alone, over all sittings. */
  readonly timeMs: number;
}

/** How much of a budget is used up; 1 and more: all of it. */
export function fractionOf(budget: Budget, counters: Counters): number {
  if ("steps" in budget) return counters.step / budget.steps;
  if ("images" in budget) return counters.nImages / budget.images;
  return counters.timeMs / (budget.minutes * 60_000);
}

/** Steps between two sample grids: some twenty over the run, where its length in steps is known. */
export function gridEvery(budget: Budget, batch: number): number {
  if ("minutes" in budget) return 100;
  const steps = "steps" in budget ? budget.steps : budget.images / batch;
  return Math.max(1, Math.ceil(steps / 20));
}

/** Throws UserError for a budget that is no training. */
export function checkBudget(budget: Budget): Budget {
  const [unit, amount] = Object.entries(budget)[0] ?? ["steps", Number.NaN];
  if (amount > 0 && Number.isFinite(amount)) return budget;
  throw new UserError(`A budget of ${amount} ${unit} is no training; give a number above 0.`);
}
