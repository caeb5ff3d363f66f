import { convCases } from "./cases-conv.ts";
import { elementwiseCases } from "./cases-elementwise.ts";
import { shapeCases } from "./cases-shape.ts";
import type { OpCase } from "./op-case.ts";

export type { OpCase } from "./op-case.ts";

/** Cases of every operation: each is checked for its gradients and on ONNX Runtime. */
export const cases: readonly OpCase[] = [...elementwiseCases, ...shapeCases, ...convCases];
