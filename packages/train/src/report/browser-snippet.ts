import type { GeneratorInput } from "../export.ts";

/** What a page must know of a generator to run it. */
export interface SnippetOptions {
  readonly inputs: readonly GeneratorInput[];
  /** The values of the output that mean black and white; left out when it makes no pictures. */
  readonly range?: readonly [low: number, high: number] | undefined;
}

/** JavaScript for a page that runs `G.onnx` with onnxruntime-web and shows its first sample. */
export function browserSnippet({ inputs, range }: SnippetOptions): string {
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

/** How a page draws the noise of each kind. */
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
} as const satisfies Record<GeneratorInput["kind"], readonly string[]>;

function helpers(inputs: readonly GeneratorInput[]): string[] {
  return [...new Set(inputs.map(({ kind }) => kind))].flatMap((kind) => draws[kind]);
}

function tensorCode({ kind, shape, low = 0, high = 1 }: GeneratorInput): string {
  const size = ["n", ...shape].join(" * ");
  const values = {
    normal: `normal(${size})`,
    uniform: `uniform(${size}, ${low}, ${high})`,
    ints: `ints(${size}, ${high})`,
    label: `new Int32Array(${size}).fill(label)`,
  }[kind];
  const dtype = kind === "normal" || kind === "uniform" ? "float32" : "int32";
  return `new ort.Tensor("${dtype}", ${values}, [${["n", ...shape].join(", ")}])`;
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
