import { dtypeOf, type FunctionCard, type FunctionInput } from "../function-card.ts";

/** What a page must know of a generator to run it. */
export type SnippetOptions = Pick<FunctionCard, "inputs" | "outputs">;

/** JavaScript for a page that runs `G.onnx` with onnxruntime-web and shows its first sample. */
export function browserSnippet({ inputs, outputs }: SnippetOptions): string {
  const range = outputs[0]?.range;
  return [
    `import * as ort from "onnxruntime-web";`,
    ``,
    `const session = await ort.InferenceSession.create("G.onnx");`,
    `const n = 1; // samples`,
    ...helpers(inputs),
    `const results = await session.run({`,
    ...inputs.map((input) => `  ${JSON.stringify(input.name)}: ${tensorCode(input)},`),
    `});`,
    `const output = results[session.outputNames[0]];`,
    ...(range ? showPicture(range) : [`console.log(output.dims, output.data);`]),
  ].join("\n");
}

/** How a page makes an input of each kind. */
const draws = {
  normal: [
    `const normal = (size) => Float32Array.from({ length: size }, () =>`,
    `  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));`,
  ],
  uniform: [
    `const uniform = (size, low, high) =>`,
    `  Float32Array.from({ length: size }, () => low + (high - low) * Math.random());`,
  ],
  ints: [
    `const ints = (size, high) =>`,
    `  Int32Array.from({ length: size }, () => Math.floor(high * Math.random()));`,
  ],
  label: [`const label = 0; // the number of a class`],
  image: [
    `const image = (c, h, w) => {`,
    `  const page = document.querySelector("canvas").getContext("2d");`,
    `  const { data } = page.getImageData(0, 0, w, h); // red, green, blue, alpha of each pixel`,
    `  return Uint8Array.from({ length: c * h * w }, (_, i) =>`,
    `    data[4 * (i % (h * w)) + Math.floor(i / (h * w))]);`,
    `};`,
  ],
  vector: [`const record = (size) => new Float32Array(size); // the numbers of a record`],
  given: [`const given = (size) => new Float32Array(size); // your own numbers`],
} as const satisfies Record<FunctionInput["kind"], readonly string[]>;

function helpers(inputs: readonly FunctionInput[]): string[] {
  return [...new Set(inputs.map(({ kind }) => kind))].flatMap((kind) => draws[kind]);
}

function tensorCode(input: FunctionInput): string {
  const { kind, shape, low = 0, high = 1 } = input;
  const size = ["n", ...shape].join(" * ");
  const values = {
    normal: `normal(${size})`,
    uniform: `uniform(${size}, ${low}, ${high})`,
    ints: `ints(${size}, ${high})`,
    label: `new Int32Array(${size}).fill(label)`,
    image: `image(${shape.join(", ")})`,
    vector: `record(${size})`,
    given: `given(${size})`,
  }[kind];
  return `new ort.Tensor("${dtypeOf(input)}", ${values}, [${["n", ...shape].join(", ")}])`;
}

function showPicture([low, high]: readonly [number, number]): string[] {
  return [
    `const [, channels, height, width] = output.dims; // values from ${low} (black) to ${high} (white)`,
    `const picture = new ImageData(width, height);`,
    `for (let i = 0; i < height * width; i++) {`,
    `  for (let c = 0; c < 4; c++) {`,
    `    const value = output.data[(c % channels) * height * width + i];`,
    `    const opaque = c === 3 && channels < 4;`,
    `    picture.data[4 * i + c] = opaque ? 255 : (255 * (value - (${low}))) / ${high - low};`,
    `  }`,
    `}`,
    `document.querySelector("canvas").getContext("2d").putImageData(picture, 0, 0);`,
  ];
}
