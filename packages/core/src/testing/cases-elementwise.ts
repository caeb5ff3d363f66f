import { add, div, max, min, mul, neg, pow, sub } from "../ops/arithmetic.ts";
import { straightThrough, stopGradient } from "../ops/control.ts";
import * as elementwise from "../ops/elementwise.ts";
import { constant, full } from "../ops/leaf.ts";
import {
  and,
  cast,
  clamp,
  equal,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  not,
  notEqual,
  oneHot,
  or,
  where,
} from "../ops/logic.ts";
import { opCase, type CaseInput, type OpCase } from "./op-case.ts";

const x: CaseInput = { shape: [2, 3, 4], range: [-2, 2] };
const positive: CaseInput = { shape: [2, 3, 4], range: [0.3, 3] };
const row: CaseInput = { shape: [4], range: [-2, 2] };
const positiveColumn: CaseInput = { shape: [3, 1], range: [0.3, 3] };
const whole: CaseInput = { shape: [2, 3], dtype: "int32", range: [-4, 5] };
const wholeRow: CaseInput = { shape: [3], dtype: "int32", values: [2, -3, 1] };

const arithmetic: OpCase[] = [
  opCase("Input", { x }, (i) => i.x),
  opCase("Const", { x }, (i) => mul(i.x, constant([1, 2, -3, 0.5], { shape: [4] }))),
  opCase("full", { x }, (i) => add(i.x, full([3, 1], 0.25))),
  opCase("Add", { x, y: row }, (i) => add(i.x, i.y)),
  opCase("Add: int32", { x: whole, y: wholeRow }, (i) => add(i.x, i.y)),
  opCase("Add: both broadcast", { x: { shape: [3, 1] }, y: { shape: [1, 4] } }, (i) =>
    add(i.x, i.y),
  ),
  opCase("Sub", { x, y: row }, (i) => sub(i.x, i.y)),
  opCase("Sub: from a number", { x }, (i) => sub(1, i.x)),
  opCase("Mul", { x, y: positiveColumn }, (i) => mul(i.x, i.y)),
  opCase("Mul: rank 0", { x: { shape: [] }, y: row }, (i) => mul(i.x, i.y)),
  opCase("Mul: by itself", { x }, (i) => mul(i.x, i.x)),
  opCase("neg", { x: whole }, (i) => neg(i.x)),
  opCase("Div", { x, y: positiveColumn }, (i) => div(i.x, i.y)),
  opCase("Div: int32", { x: whole, y: wholeRow }, (i) => div(i.x, i.y)),
  opCase("Pow", { x: positive, y: row }, (i) => pow(i.x, i.y)),
  opCase("Pow: odd power of negative numbers", { x }, (i) => pow(i.x, 3)),
  opCase("Max", { x, y: row }, (i) => max(i.x, i.y)),
  opCase("Max: int32", { x: whole, y: wholeRow }, (i) => max(i.x, i.y)),
  opCase("Min", { x, y: row }, (i) => min(i.x, i.y)),
];

const unary: OpCase[] = [
  opCase("Exp", { x }, (i) => elementwise.exp(i.x)),
  opCase("Log", { x: positive }, (i) => elementwise.log(i.x)),
  opCase("Sqrt", { x: positive }, (i) => elementwise.sqrt(i.x)),
  opCase("Abs", { x }, (i) => elementwise.abs(i.x)),
  opCase("Sign", { x }, (i) => elementwise.sign(i.x)),
  opCase("Sign: at 0", { x: { shape: [3], values: [-1, 0, 2] } }, (i) => elementwise.sign(i.x), {
    smooth: false,
  }),
  opCase("Reciprocal", { x: positive }, (i) => elementwise.reciprocal(i.x)),
  opCase("Sin", { x }, (i) => elementwise.sin(i.x)),
  opCase("Cos", { x }, (i) => elementwise.cos(i.x)),
  opCase("Tan", { x: { shape: [5] } }, (i) => elementwise.tan(i.x)),
  opCase("Atan", { x }, (i) => elementwise.atan(i.x)),
  opCase("Tanh", { x }, (i) => elementwise.tanh(i.x)),
  opCase("Sigmoid", { x }, (i) => elementwise.sigmoid(i.x)),
  opCase("Sigmoid: far out", { x: { shape: [4], values: [-200, -30, 30, 200] } }, (i) =>
    elementwise.sigmoid(i.x),
  ),
  opCase("Erf", { x }, (i) => elementwise.erf(i.x)),
  opCase("Softplus", { x }, (i) => elementwise.softplus(i.x)),
  opCase("Softplus: far out", { x: { shape: [6], values: [-200, -30, -12, 12, 30, 200] } }, (i) =>
    elementwise.softplus(i.x),
  ),
  opCase("Floor", { x }, (i) => elementwise.floor(i.x)),
  opCase("Ceil", { x }, (i) => elementwise.ceil(i.x)),
  opCase("Round", { x }, (i) => elementwise.round(i.x)),
  opCase(
    "Round: halves",
    { x: { shape: [6], values: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5] } },
    (i) => elementwise.round(i.x),
    { smooth: false },
  ),
  opCase("Relu", { x }, (i) => elementwise.relu(i.x)),
  opCase("LeakyRelu", { x }, (i) => elementwise.leakyRelu(i.x, { slope: 0.2 })),
  opCase("Step", { x }, (i) => elementwise.step(i.x, { low: 0 })),
  opCase("Step: low", { x }, (i) => elementwise.step(i.x, { low: 0.2 })),
  opCase(
    "Step: at 0",
    { x: { shape: [3], values: [-1, 0, 1] } },
    (i) => elementwise.step(i.x, { low: 0.2 }),
    { smooth: false },
  ),
  opCase("elu", { x }, (i) => elementwise.elu(i.x)),
  opCase("selu", { x }, (i) => elementwise.selu(i.x)),
  opCase("gelu", { x }, (i) => elementwise.gelu(i.x)),
  opCase("silu", { x }, (i) => elementwise.silu(i.x)),
  opCase("square", { x }, (i) => elementwise.square(i.x)),
];

const bits: CaseInput = { shape: [4], values: [0, 0, 1, 1] };
const otherBits: CaseInput = { shape: [4], values: [0, 1, 0, 1] };

const logic: OpCase[] = [
  opCase("Equal", { x: whole, y: wholeRow }, (i) => cast(equal(i.x, i.y), "int32")),
  opCase("Equal: float32", { x: bits, y: otherBits }, (i) => cast(equal(i.x, i.y), "float32"), {
    smooth: false,
  }),
  opCase("notEqual", { x: whole, y: wholeRow }, (i) => cast(notEqual(i.x, i.y), "int32")),
  opCase("Less", { x: whole, y: wholeRow }, (i) => cast(less(i.x, i.y), "int32")),
  opCase("LessOrEqual", { x: whole, y: wholeRow }, (i) => cast(lessOrEqual(i.x, i.y), "int32")),
  opCase("Greater", { x, y: row }, (i) => cast(greater(i.x, i.y), "float32")),
  opCase("GreaterOrEqual", { x, y: row }, (i) => cast(greaterOrEqual(i.x, i.y), "float32")),
  opCase("And", { x: bits, y: otherBits }, (i) =>
    cast(and(greater(i.x, 0.5), greater(i.y, 0.5)), "float32"),
  ),
  opCase("Or", { x: bits, y: otherBits }, (i) =>
    cast(or(greater(i.x, 0.5), greater(i.y, 0.5)), "float32"),
  ),
  opCase("Not", { x }, (i) => cast(not(greater(i.x, 0)), "float32")),
  opCase("Where", { c: row, x, y: positiveColumn }, (i) => where(greater(i.c, 0), i.x, i.y)),
  opCase("Where: int32", { x: whole }, (i) => where(greater(i.x, 0), i.x, -1)),
  opCase("Where: a number", { x }, (i) => where(greater(i.x, 0), mul(i.x, i.x), 0.5)),
  opCase("Cast: float32 to int32", { x }, (i) => cast(i.x, "int32")),
  opCase("Cast: uint8 to float32", { x: { shape: [4], dtype: "uint8", range: [0, 256] } }, (i) =>
    cast(i.x, "float32"),
  ),
  opCase("Cast", { x: whole }, (i) => cast(cast(i.x, "bool"), "float32")),
  opCase("Clip", { x }, (i) => clamp(i.x, { min: -0.7, max: 1.1 })),
  opCase("Clip: below", { x }, (i) => clamp(i.x, { min: 0.1 })),
  opCase("Clip: above", { x }, (i) => clamp(i.x, { max: 0.1 })),
  opCase("oneHot", { i: { shape: [2, 3], dtype: "int32", range: [0, 4] } }, (i) =>
    oneHot(i.i, { depth: 4 }),
  ),
  opCase("StopGradient", { x }, (i) => mul(i.x, stopGradient(constant([2], { shape: [1] })))),
  opCase(
    "straightThrough",
    { x },
    (i) => straightThrough(elementwise.round(i.x), elementwise.tanh(i.x)),
    { smooth: false },
  ),
];

export const elementwiseCases: readonly OpCase[] = [...arithmetic, ...unary, ...logic];
