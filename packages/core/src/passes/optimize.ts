import type { Graph } from "../graph.ts";
import { shareCommon } from "./common.ts";
import { fuseConvs } from "./conv.ts";
import { foldConstants } from "./fold.ts";
import { simplify } from "./identities.ts";
import { lowerRepeats } from "./repeats.ts";
import { mergeSlices } from "./slices.ts";
import { lowerWeightGrads } from "./weight-grad.ts";

type Pass = (graph: Graph) => Graph;

/**
 * The graph that is run: equal in its results up to rounding, but cheaper. What no output needs is
 * gone; inputs stay as declared. The result is not meant to be differentiated.
 */
export function optimize(graph: Graph): Graph {
  const tidy = untilStable([shareCommon, simplify, foldConstants, mergeSlices]);
  return [tidy, fuseConvs, lowerWeightGrads, lowerRepeats, tidy].reduce(
    (g, pass) => pass(g),
    graph,
  );
}

/** Runs passes in turn until none changes anything; every change shrinks the graph, so this ends. */
function untilStable(passes: readonly Pass[]): Pass {
  return (graph) => {
    let before: Graph;
    let after = graph;
    do {
      before = after;
      after = passes.reduce((g, pass) => pass(g), before);
    } while (after !== before);
    return after;
  };
}
