import {
  blockProbe,
  conv,
  convTranspose,
  grad,
  input,
  inputName,
  toOnnx,
  topological,
  useBlockedConvs,
  type Graph,
  type Tensor,
} from "@duelo/core";
import * as ort from "onnxruntime-node";
import { byImages, byPieces, type WeightGrad } from "../packages/core/src/passes/weight-grad.ts";

/*
 * The forms of a convolution and its gradients on ONNX Runtime, in GFLOP/s of processor time on one
 * thread: a measure that other work on the machine disturbs little. One JSON object a line.
 */

const nRuns = 9;
const session = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;

interface Problem {
  readonly name: string;
  readonly channels: number;
  readonly out: number;
  readonly size: number;
  readonly kernel: number;
}
const half = (channels: number, out: number, size: number, kernel: number): Problem => ({
  name: `${channels} to ${out} at ${size}, kernel ${kernel}`,
  ...{ channels, out, size, kernel },
});
/** D of DCGAN at widths 64 and 32, and of WGAN-GP at width 64; stride 2, batch 64. */
const problems = [
  half(3, 64, 64, 4),
  half(64, 128, 32, 4),
  half(128, 256, 16, 4),
  half(256, 512, 8, 4),
  half(32, 64, 32, 4),
  half(64, 128, 16, 4),
  half(128, 256, 8, 4),
  half(3, 64, 32, 5),
  half(64, 128, 16, 5),
  half(128, 256, 8, 5),
];

/** The graph of each form, by name. */
function formsOf(p: Problem, block: number): Record<string, Graph> {
  const pad = p.kernel === 4 ? 1 : 2;
  const x = input("x", { shape: [64, p.channels, p.size, p.size] });
  const w = input("w", { shape: [p.out, p.channels, p.kernel, p.kernel] });
  const y = conv(x, w, { strides: 2, pads: pad });
  const g = input("g", { shape: y.shape });
  const gx = convTranspose(g, w, { strides: 2, pads: pad, outputPadding: p.kernel - 4 });
  const problem: WeightGrad = {
    ...{ x, g, kernel: [p.kernel, p.kernel] },
    ...{ strides: [2, 2], pads: [pad, pad, pad, pad] },
  };
  const blocks = (t: Tensor): Graph =>
    block > 1 ? useBlockedConvs(graphOf(t), { block }) : graphOf(t);
  return {
    forward: graphOf(y),
    "forward, blocked": blocks(y),
    input: graphOf(gx),
    "input, blocked": blocks(gx),
    "weight, swapped axes": graphOf(grad(y, [w], g)[0] ?? w),
    "weight, by images": graphOf(byImages(problem)),
    "weight, by pieces": graphOf(byPieces(problem)),
  };
}

function graphOf(y: Tensor): Graph {
  return { inputs: topological([y]).filter((t) => t.op.name === "Input"), outputs: { y } };
}

const feedsOf = (graph: Graph): Record<string, ort.Tensor> =>
  Object.fromEntries(
    graph.inputs.map((t) => {
      const data = Float32Array.from({ length: t.size }, () => Math.random() - 0.5);
      return [inputName(t), new ort.Tensor("float32", data, t.shape)];
    }),
  );

async function run(graph: Graph): Promise<{ once: () => Promise<number>; elements: number }> {
  const loaded = await ort.InferenceSession.create(toOnnx(graph), session);
  const feeds = feedsOf(graph);
  const once = async (): Promise<number> => {
    const before = process.cpuUsage();
    await loaded.run(feeds);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  const { y } = await loaded.run(feeds);
  return { once, elements: y?.size ?? 0 };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const { elements: block } = await run(blockProbe());
for (const p of problems) {
  const forms: { form: string; once: () => Promise<number>; timesMs: number[] }[] = [];
  for (const [form, graph] of Object.entries(formsOf(p, block))) {
    forms.push({ form, once: (await run(graph)).once, timesMs: [] });
  }
  for (let i = 0; i < nRuns; i++) {
    for (const form of forms) form.timesMs.push(await form.once());
  }
  const gflop = (2 * 64 * p.channels * p.out * (p.kernel * p.size) ** 2) / 4e9;
  const rates = forms.map((f) => [f.form, Math.round((1000 * gflop) / median(f.timesMs))]);
  console.log(JSON.stringify({ problem: p.name, block, ...Object.fromEntries(rates) }));
}
