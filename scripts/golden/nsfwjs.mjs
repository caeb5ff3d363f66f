// What TF.js computes at the layer `flatten_1` of two models of the npm package nsfwjs, for pictures of
// a formula. TF.js is no dependency of Duelo; in an empty folder:
//   npm install --ignore-scripts --legacy-peer-deps nsfwjs@4.3.0 @tensorflow/tfjs-core@4 \
//     @tensorflow/tfjs-layers@4 @tensorflow/tfjs-backend-cpu@4
//   node …/scripts/golden/nsfwjs.mjs FOLDER > test/golden/nsfwjs.json
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const folder = resolve(process.argv[2] ?? ".");
const from = createRequire(join(folder, "x.js"));
const tf = from("@tensorflow/tfjs-core");
const { loadLayersModel, model } = from("@tensorflow/tfjs-layers");
from("@tensorflow/tfjs-backend-cpu");
await tf.setBackend("cpu");

/** Two pictures [2, side, side, 3], values 0 to 255: slanting waves, and squares with a grain. */
export function pixel(picture, { c, y, x }) {
  if (picture === 0) return (x * (c + 2) + y * (5 - c)) % 256;
  const dark = ((x >> 4) + (y >> 4)) % 2 === 0;
  return (dark ? 20 + 60 * c : 200 - 40 * c) + ((x * y) % 31);
}

const nets = [
  { name: "mobilenet_v2", side: 224 },
  { name: "inception_v3", side: 299 },
];

async function featuresOf({ name, side }) {
  const dir = join(folder, "node_modules/nsfwjs/dist/models", name);
  const { modelTopology, weightsManifest } = from(join(dir, "model.min.js"));
  const shards = readdirSync(dir).filter((f) => f.startsWith("group"));
  const parts = shards.toSorted().map((f) => Buffer.from(from(join(dir, f)), "base64"));
  const weightData = Uint8Array.from(Buffer.concat(parts)).buffer;
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  const load = async () => ({ modelTopology, weightSpecs, weightData });
  const whole = await loadLayersModel({ load });
  const net = model({ inputs: whole.inputs, outputs: whole.getLayer("flatten_1").output });
  const pixels = new Float32Array(2 * side * side * 3);
  let at = 0;
  for (let i = 0; i < 2; i++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        for (let c = 0; c < 3; c++) pixels[at++] = pixel(i, { c, y, x }) / 255;
  const features = net.predict(tf.tensor4d(pixels, [2, side, side, 3]));
  return (await features.array()).map((row) => ({
    length: row.length,
    first: row.slice(0, 64),
    sum: row.reduce((a, b) => a + b, 0),
    squares: row.reduce((a, b) => a + b * b, 0),
  }));
}

const out = { by: `TF.js ${tf.version_core}, pure JavaScript` };
for (const net of nets) out[net.name] = await featuresOf(net);
process.stdout.write(`${JSON.stringify(out, undefined, 1)}\n`);
