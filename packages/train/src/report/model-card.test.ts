import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cast, concat, input, mul, reshape, toOnnx, type Graph } from "@duelo/core";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SnippetOptions } from "./browser-snippet.ts";
import { writeModelCard } from "./model-card.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-card-"));
});
afterAll(() => rm(root, { recursive: true }));

const options = {
  recipe: "cgan",
  about: "a GAN that is told the class",
  paper: "arXiv:1411.1784",
  preset: "small",
  options: { batch: 64, zDim: 4 },
  data: "digits",
  dataSettings: { fit: "crop" },
  nRecords: 1797,
  shape: [2, 1, 3],
  classes: ["zero", "one"],
  budget: { steps: 100 },
  seed: 0,
  device: "cpu",
  threads: 2,
};

/** A generator [N, 2], [N] -> [N, 3, 1, 1]: two numbers of noise and the class, each halved. */
function generator(n: number): Graph {
  const z = input("z", { dtype: "float32", shape: [n, 2] });
  const y = input("y", { dtype: "int32", shape: [n] });
  const all = concat([z, reshape(cast(y, "float32"), [n, 1])], 1); // [N, 3]
  return { inputs: [z, y], outputs: { x: reshape(mul(all, 0.5), [n, 3, 1, 1]) } };
}

const inputs = [
  { name: "z", kind: "uniform", shape: [2], low: -1, high: 1 },
  { name: "y", kind: "label", shape: [] },
] as const;
const range = [-1, 1] as const;

async function card(parts: {
  options: object;
  range?: readonly [number, number];
  functions?: Readonly<Record<string, { about: string }>>;
}): Promise<string> {
  const { options, range, functions = {} } = parts;
  const generator: SnippetOptions = {
    inputs,
    outputs: [{ name: "samples", shape: [3, 1, 1], ...(range && { range }) }],
  };
  const dir = await mkdtemp(join(root, "run-"));
  await mkdir(join(dir, "samples"));
  await writeFile(join(dir, "samples/00000100.png"), "");
  await writeFile(join(dir, "options.json"), JSON.stringify(options));
  const line = { step: 100, nImages: 6400, timeMs: 4000, log: { "loss/D": 0.75, "loss/G": 0.5 } };
  await writeFile(join(dir, "stats.jsonl"), `${JSON.stringify(line)}\n`);
  const text = await readFile(await writeModelCard({ dir, generator, functions }), "utf8");
  return text.replaceAll(dir.slice(root.length + 1), "0001-cgan-digits");
}

test("says what it is, how it came to be, how to use it and what not to do", async () => {
  expect(await card({ options: { ...options, shape: [3, 1, 1] }, range })).toMatchInlineSnapshot(`
    "---
    # license: yours to choose; look first at what the license of the training data asks
    library_name: duelo
    pipeline_tag: unconditional-image-generation
    tags:
    - "duelo"
    - "onnx"
    - "cgan"
    datasets:
    - "digits"
    ---

    # cgan on digits

    ![Samples at step 100](samples/00000100.png)

    ## Training

    cgan, a GAN that is told the class (arXiv:1411.1784), trained with Duelo on 1,797 images of digits at 1 × 1 pixels, RGB: 100 steps (6,400 images seen) in 4 s on cpu with 2 threads, 1,600 images a second.

    Means over the last tenth of the log: loss/D 0.75, loss/G 0.5.

    | option | value |
    | --- | --- |
    | batch | 64 |
    | zDim | 4 |
    | fit | crop |

    The same training again:

    \`\`\`sh
    duelo train cgan --data digits \\
      --size 1x1 \\
      --channels 3 \\
      --fit crop \\
      --preset small \\
      --set batch=64 \\
      --set zDim=4 \\
      --steps 100 \\
      --seed 0 \\
      --device cpu \\
      --threads 2
    \`\`\`

    ## Use

    Make 64 new samples:

    \`\`\`sh
    duelo sample 0001-cgan-digits -n 64
    \`\`\`

    Write the generator as one ONNX file:

    \`\`\`sh
    duelo export 0001-cgan-digits
    \`\`\`

    In a browser, with \`G.onnx\` beside the page and a \`<canvas>\` on it:

    \`\`\`js
    import * as ort from "onnxruntime-web";

    const session = await ort.InferenceSession.create("G.onnx");
    const n = 1; // samples
    const uniform = (size, low, high) =>
      Float32Array.from({ length: size }, () => low + (high - low) * Math.random());
    const label = 0; // the number of a class
    const results = await session.run({
      "z": new ort.Tensor("float32", uniform(n * 2, -1, 1), [n, 2]),
      "y": new ort.Tensor("int32", new Int32Array(n).fill(label), [n]),
    });
    const output = results[session.outputNames[0]];
    const [, channels, height, width] = output.dims; // values from -1 (black) to 1 (white)
    const picture = new ImageData(width, height);
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < 4; c++) {
        const value = output.data[(c % channels) * height * width + i];
        const opaque = c === 3 && channels < 4;
        picture.data[4 * i + c] = opaque ? 255 : (255 * (value - (-1))) / 2;
      }
    }
    document.querySelector("canvas").getContext("2d").putImageData(picture, 0, 0);
    \`\`\`

    Classes: 0 zero, 1 one.

    ## Limits

    - It has seen the 1,797 images of digits and nothing else. What is rare or missing there is rare or missing in what it makes, and a bias there is a bias here.
    - The numbers above were logged in training and do not measure quality. Look at the samples.
    - It may repeat parts of its training data closely, all the more when there was little of it, and it may leave out whole kinds of it. Neither was measured.
    - It makes 1 × 1 pixels and no other size.

    ## Intended use

    Learning, experiments, art and prototypes. Nothing that a decision about people, health or safety rests on.

    Say that generated images are generated. Do not use this model to deceive, to imitate a person without consent, or in place of data that must be real. Whoever publishes it must have the right to use the training data in this way.
    "
  `);
});

const generatorOnnx = () => toOnnx(generator(5), { freeBatch: { other: generator(7) } });

test("its JavaScript runs the generator and paints what came out", async () => {
  const text = await card({ options, range });
  const [, code = ""] = /```js\n([^]*?)\n```/.exec(text) ?? [];
  const [first = "", ...lines] = code.split("\n");
  expect(first).toBe('import * as ort from "onnxruntime-web";');
  const painted: number[][] = [];
  const page = {
    ort: {
      Tensor: ort.Tensor,
      InferenceSession: { create: () => ort.InferenceSession.create(generatorOnnx()) },
    },
    Math: Object.assign(Object.create(Math), { random: () => 0.75 }), // uniform(-1, 1) gives 0.5
    ImageData: class {
      readonly data: Uint8ClampedArray;
      constructor(width: number, height: number) {
        this.data = new Uint8ClampedArray(4 * width * height);
      }
    },
    document: {
      querySelector: () => ({
        getContext: () => ({
          putImageData: ({ data }: { data: Uint8ClampedArray }) => painted.push([...data]),
        }),
      }),
    },
  };
  const body = lines.join("\n").replace("const label = 0", "const label = 1");
  const module = Function(...Object.keys(page), `return (async () => {${body}})()`);
  await module(...Object.values(page));
  expect(painted).toEqual([[159, 159, 191, 255]]); // 0.25, 0.25, 0.5 in -1..1
});

test("a generator of points is not said to make pictures", async () => {
  const text = await card({ options: { ...options, recipe: "gan-2d", data: "ring8", shape: [2] } });
  expect(text).not.toMatch(/pipeline_tag|canvas|pixels|image/i);
  expect(text).toContain("console.log(output.dims, output.data);");
  expect(text).toContain("1,797 records of ring8 (2 numbers each)");
});

test("names from outside stay names", async () => {
  const nasty = "a\n---\n# b <script>`c`</script> | [d](e) '\"";
  const text = await card({ options: { ...options, data: nasty, options: { [nasty]: nasty } } });
  const [, frontMatter = "", ...rest] = text.split(/^---$/m);
  expect(frontMatter).toContain(`datasets:\n- ${JSON.stringify(nasty)}\n`);
  const body = rest.join("").replaceAll(/^```[^]*?^```/gm, "");
  const escaped = "a --- # b \\<script\\>\\`c\\`\\</script\\> \\| \\[d\\](e) '\"";
  expect(body).toContain(`\n# cgan on ${escaped}\n`);
  expect(body).toContain(`\n| ${escaped} | ${escaped} |\n`);
  expect(body).not.toMatch(/(?<!\\)</);
});

test("a folder that is no run is refused", async () => {
  const error = await writeModelCard({
    dir: "/nowhere",
    generator: undefined,
    functions: {},
  }).catch(String);
  expect(error).toMatchInlineSnapshot(
    `"UserError: /nowhere is not a run folder: it has no options.json. Name a folder that duelo train made."`,
  );
});
