import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { devices } from "@duelo/runtime";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { duelo } from "./command.ts";

const pictures = resolve("node_modules/@lobehub/fluent-emoji-3d/assets");
const home = mkdtempSync(join(tmpdir(), "bad-input-"));
const before = process.cwd();

/** Copies so many real pictures into a folder. */
function fill(folder: string, n: number): void {
  mkdirSync(folder);
  for (const name of readdirSync(pictures).slice(0, n)) {
    copyFileSync(join(pictures, name), join(folder, name));
  }
}

beforeAll(async () => {
  process.chdir(home);
  process.env["XDG_CACHE_HOME"] = join(home, "cache");
  mkdirSync("empty");
  mkdirSync("texts");
  writeFileSync("texts/a.txt", "words");
  fill("one", 1);
  fill("photos", 12);
  fill("few", 5);
  fill("spoiled", 12);
  for (const folder of ["mixed", "grey", "same"]) mkdirSync(folder);
  const [first = "", second = ""] = readdirSync("photos");
  for (let i = 0; i < 6; i++) {
    copyFileSync(join("photos", first), `same/${i}.webp`);
    await sharp(join("photos", second))
      .flatten()
      .toColourspace("b-w")
      .png()
      .toFile(`grey/${i}.png`);
  }
  copyFileSync(join("photos", first), "mixed/a.webp");
  await sharp(join("photos", second)).resize(40, 30).toFile("mixed/b.webp");
  writeFileSync("weights.pth", "no weights");
  writeFileSync("net.onnx", "no network");
  const [whole = ""] = readdirSync("spoiled");
  writeFileSync("spoiled/cut.webp", readFileSync(join("spoiled", whole)).subarray(0, 900));
  writeFileSync("spoiled/none.png", "");
  writeFileSync(
    "spoiled/vast.svg",
    '<svg xmlns="http://www.w3.org/2000/svg" width="50000" height="50000"/>',
  );
  expect(await duelo("train", "gan-2d", "--data", "ring8", "--steps", "1")).toMatchObject({
    code: 0,
  });
}, 120_000);
afterAll(() => {
  process.chdir(before);
  rmSync(home, { recursive: true });
});

/** Exit code and what was said, for a command that must not get anywhere. */
async function refused(line: string): Promise<string> {
  const { code, out, err } = await duelo(...line.split(" "));
  expect(out).toBe("");
  expect(err).not.toMatch(/^ +at /m); // no stack trace
  return `${code}: ${err.trimEnd().replaceAll(home, "HOME")}`;
}

test("a command line that cannot be meant", async () => {
  expect(await refused("trian dcgan --data emoji")).toMatchInlineSnapshot(
    `"2: Unknown command 'trian'. Did you mean train?"`,
  );
  expect(await refused("train dcgan")).toMatchInlineSnapshot(
    `"2: Required option '--data <set>' not specified. See duelo train --help."`,
  );
  expect(await refused("train --data emoji")).toMatchInlineSnapshot(
    `"2: Missing required argument 'recipe'. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --step 3")).toMatchInlineSnapshot(
    `"2: Unknown option '--step'. Did you mean --steps?"`,
  );
  expect(await refused("train dcgan --data emoji --steps many")).toMatchInlineSnapshot(
    `"2: Option '--steps <n>' argument 'many' is invalid. It takes a whole number from 1 up. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --steps 0")).toMatchInlineSnapshot(
    `"2: Option '--steps <n>' argument '0' is invalid. It takes a whole number from 1 up. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --steps 3 --minutes 2")).toMatchInlineSnapshot(
    `"2: Option '--minutes <n>' cannot be used with option '--steps <n>'. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --minutes -1")).toMatchInlineSnapshot(
    `"2: Option '--minutes <n>' argument '-1' is invalid. It takes a number above 0. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --size big")).toMatchInlineSnapshot(
    `"2: Option '--size <pixels>' argument 'big' is invalid. It takes pixels, 1 to 99,999: 64, or 96x64 for height and width. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --fit squeeze")).toMatchInlineSnapshot(
    `"2: Option '--fit <how>' argument 'squeeze' is invalid. Allowed choices are crop, pad, stretch. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --channels 7")).toMatchInlineSnapshot(
    `"2: Option '--channels <n>' argument '7' is invalid. It takes 1, 3 or 4. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --set lr")).toMatchInlineSnapshot(
    `"2: Option '--set <key=value>' argument 'lr' is invalid. It takes key=value. See duelo train --help."`,
  );
  expect(await refused("train dcgan --data emoji --device tpu")).toMatchInlineSnapshot(
    `"2: Option '--device <name>' argument 'tpu' is invalid. Allowed choices are cpu, webgpu, cuda. See duelo train --help."`,
  );
});

test("weights that are not named for one net each", async () => {
  expect(await refused("import dcgan G=")).toMatchInlineSnapshot(
    `"2: Command-argument value 'G=' is invalid for argument 'net=file'. It takes a net and its file, such as G=netG.pth. See duelo import --help."`,
  );
  expect(await refused("import dcgan G=a.pth G=b.pth")).toMatchInlineSnapshot(
    `"2: Command-argument value 'G=b.pth' is invalid for argument 'net=file'. Net G was given a file already. See duelo import --help."`,
  );
  expect(await refused("import dcgan G=a.pth")).toMatchInlineSnapshot(
    `"2: There is no file a.pth."`,
  );
});

test("unknown recipe, preset, option; a value out of range", async () => {
  expect(await refused("train dcgn --data emoji")).toMatchInlineSnapshot(
    `"2: There is no recipe "dcgn". Did you mean "dcgan"? Recipes: gan, gan-2d, cgan, dcgan, dcgan-2015, lapgan, lsgan, wgan, wgan-gp, wgan-gp-2d, sngan, sngan-projection, pacgan, pacgan-2d, unrolled-gan, unrolled-gan-2d, r3gan, r3gan-2d, steady-gan, biggan, biggan-deep, stylegan, stylegan2, vae, pix2pix, cyclegan, discogan, discogan-2d, stargan, srgan, esrgan, classifier."`,
  );
  expect(await refused("show dcgn")).toMatchInlineSnapshot(
    `"2: There is no recipe "dcgn". Did you mean "dcgan"? Recipes: gan, gan-2d, cgan, dcgan, dcgan-2015, lapgan, lsgan, wgan, wgan-gp, wgan-gp-2d, sngan, sngan-projection, pacgan, pacgan-2d, unrolled-gan, unrolled-gan-2d, r3gan, r3gan-2d, steady-gan, biggan, biggan-deep, stylegan, stylegan2, vae, pix2pix, cyclegan, discogan, discogan-2d, stargan, srgan, esrgan, classifier."`,
  );
  expect(await refused("show dcgan --phase E")).toMatchInlineSnapshot(
    `"2: Recipe dcgan has no phase that trains "E". Did you mean "D"? Phases: D, G."`,
  );
  expect(await refused("train dcgan --data emoji --preset smal")).toMatchInlineSnapshot(
    `"2: Recipe dcgan has no preset "smal". Did you mean "small"? Presets: paper, small."`,
  );
  expect(await refused("train dcgan --data emoji --set widht=32")).toMatchInlineSnapshot(
    `"2: There is no option "widht". Did you mean "width"?"`,
  );
  expect(await refused("train dcgan --data emoji --set lr=fast")).toMatchInlineSnapshot(
    `"2: Option lr is "fast"; it takes a number from 0 to 1."`,
  );
  expect(await refused("train dcgan --data emoji --set lr=7")).toMatchInlineSnapshot(
    `"2: Option lr is "7"; it takes a number from 0 to 1."`,
  );
  expect(await refused("train gan-2d --data ring8 --threads 0")).toMatchInlineSnapshot(
    `"2: Option '--threads <n>' argument '0' is invalid. It takes a whole number from 1 up. See duelo train --help."`,
  );
});

const cuda = (await devices()).find(({ device }) => device === "cuda");

test.skipIf(cuda?.available)("a device that is not there", async () => {
  expect(await refused("train gan-2d --data ring8 --device cuda")).toMatch(
    /^2: Device cuda is not available: .+\.$/,
  );
});

test("data that is not there or not data", async () => {
  expect(await refused("train dcgan --data nowhere")).toMatchInlineSnapshot(
    `"2: There is no file or folder nowhere. Check the path."`,
  );
  expect(await refused("train dcgan --data emojis")).toMatchInlineSnapshot(
    `"2: There is no file or folder emojis. Did you mean "emoji"?"`,
  );
  expect(await refused("train dcgan --data empty")).toMatchInlineSnapshot(
    `"2: The folder empty is empty. Put pictures (PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG) in it."`,
  );
  expect(await refused("train dcgan --data texts")).toMatchInlineSnapshot(
    `"2: The folder texts holds no pictures, only 1 other file (.txt). Pictures are PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG files."`,
  );
  expect(await refused("train dcgan --data texts/a.txt")).toMatchInlineSnapshot(
    `"2: a.txt is of no kind that can be read. Name a folder of pictures (PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG), or an IDX, CIFAR .bin, .npy or .csv file."`,
  );
  expect(await refused("train dcgan --data ring8")).toMatchInlineSnapshot(
    `"2: ring8 holds points, but this recipe trains on pictures, such as emoji or a folder of them."`,
  );
  expect(await refused("train gan-2d --data emoji")).toMatchInlineSnapshot(
    `"2: emoji holds pictures, but this recipe trains on points or tables, such as ring8 or a .csv file."`,
  );
  expect(await refused("train dcgan --data emoji --select grup=flags")).toMatchInlineSnapshot(
    `"2: emoji cannot be narrowed by "grup"; it can by group and tone. Did you mean "group"?"`,
  );
  expect(await refused("train dcgan --data photos --background nocolour")).toMatchInlineSnapshot(
    `"2: The background "nocolour" is not a colour. Write a name such as white, or #rrggbb."`,
  );
  expect(await refused("data check nowhere")).toMatchInlineSnapshot(
    `"2: There is no file or folder nowhere. Check the path."`,
  );
  expect(await refused("data check empty")).toMatchInlineSnapshot(
    `"2: The folder empty is empty. Put pictures (PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG) in it."`,
  );
});

test("pictures that the recipe cannot take", async () => {
  expect(await refused("train dcgan --data photos --size 65")).toMatchInlineSnapshot(
    `"2: Recipe dcgan cannot take these images: 65x65 cannot be halved down to a small map (it stops at 65x65); choose sides such as 28, 32, 48, 64 or 128, for example --size 64."`,
  );
  expect(await refused("train cgan --data photos")).toMatchInlineSnapshot(
    `"2: photos has no labels, but this recipe needs them. Put each class in a sub-folder of its own, or add a metadata.csv with the columns file_name and label."`,
  );
  expect(await refused("train gan --data one")).toMatchInlineSnapshot(
    `"2: one holds one picture only. A GAN learns what many pictures share: give it hundreds."`,
  );
  expect(await refused("train gan --data photos --limit 1")).toMatchInlineSnapshot(
    `"2: A limit of 1 leaves one picture of photos. Take hundreds."`,
  );
  expect(await refused("train dcgan --data spoiled")).toMatchInlineSnapshot(
    `"2: 3 of 15 records of spoiled cannot be used, more than one in ten: cut.webp (damaged or cut short (webp: unable to parse image)); none.png (empty file); vast.svg (50000 x 50000 pixels is above the limit of 67 million). Repair or remove them first."`,
  );
});

test("options of which no step can be built leave no run", async () => {
  const before = readdirSync("runs");
  const options = "--size 16 --set batch=6 --set group=4 --set augment=none";
  expect(await refused(`train stylegan2 --data photos ${options}`)).toMatchInlineSnapshot(
    `"2: A batch of 6 does not divide into groups of 4; choose --set group or batch so that it does."`,
  );
  expect(readdirSync("runs")).toEqual(before);
  expect(await refused("train gan-2d --data ring8 --runs texts/a.txt")).toMatchInlineSnapshot(
    `"2: texts/a.txt cannot be written: it is a file. Choose another place."`,
  );
});

test("places where pages and pictures cannot be, before the work", async () => {
  expect(await refused("data check one --sheet texts")).toMatchInlineSnapshot(
    `"2: texts cannot be written: it is a folder. Choose another place."`,
  );
  expect(await refused("data check one --sheet sheet.jpg")).toMatchInlineSnapshot(
    `"2: Pictures are written as PNG, and sheet.jpg ends in .jpg. End it with .png."`,
  );
  expect(await refused("data check one --sheet one/sheet.png")).toMatchInlineSnapshot(
    `"2: one/sheet.png lies among what is checked. Choose another --sheet."`,
  );
  expect(await refused("eval photos --against photos --out texts")).toMatchInlineSnapshot(
    `"2: texts cannot be written: it is a folder. Choose another place."`,
  );
  expect(await refused("compare 1 1 --out texts")).toMatchInlineSnapshot(
    `"2: texts cannot be written: it is a folder. Choose another place."`,
  );
});

test("a run that is not there, or cannot do what is asked of it", async () => {
  expect(await refused("sample 7")).toMatchInlineSnapshot(
    `"2: There is no run 7 in runs. The latest are 0001-gan-2d-ring8."`,
  );
  expect(await refused("sample 7 --runs none")).toMatchInlineSnapshot(
    `"2: There is no run 7: none holds no runs yet. Start one with: duelo train RECIPE."`,
  );
  expect(await refused("export photos")).toMatchInlineSnapshot(
    `"2: There is no run photos in runs. The latest are 0001-gan-2d-ring8."`,
  );
  expect(await refused("sample 1 -n 0")).toMatchInlineSnapshot(
    `"2: Option '-n, --number <n>' argument '0' is invalid. It takes a whole number from 1 to 1,000,000. See duelo sample --help."`,
  );
  expect(await refused("sample 1 --label cat")).toMatchInlineSnapshot(
    `"2: This generator knows no classes, so --label has nothing to choose."`,
  );
  expect(await refused("sample 1 --truncation 0.01")).toMatchInlineSnapshot(
    `"2: Truncation is 0.01; it takes a number from 0.05 up."`,
  );
  expect(await refused("sample 1 --grid a.png --out b")).toMatchInlineSnapshot(
    `"2: --grid and --out were both given. Choose one picture, or one file for each."`,
  );
  expect(await refused("sample 1 --grid photos")).toMatchInlineSnapshot(
    `"2: photos cannot be written: it is a folder. Choose another place."`,
  );
  expect(await refused("sample 1 --out texts/a.txt")).toMatchInlineSnapshot(
    `"2: texts/a.txt cannot be written: it is a file. Choose another place."`,
  );
  expect(await refused("export 1 --out texts/a.txt/G.onnx")).toMatchInlineSnapshot(
    `"2: texts/a.txt/G.onnx cannot be written: HOME/texts/a.txt is no folder. Choose another place."`,
  );
});

test("a checkpoint that was cut short, or spoiled", async () => {
  const path = "runs/0001-gan-2d-ring8/checkpoint.safetensors";
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, whole.length - 100));
  expect(await refused("sample 1")).toMatchInlineSnapshot(
    `"1: No whole checkpoint in runs/0001-gan-2d-ring8: checkpoint.safetensors is damaged: it has 800200 bytes of data, and its header describes 800300; checkpoint.previous.safetensors is missing. Restore one from a backup, or start a new run."`,
  );
  const changed = Buffer.from(whole);
  changed.writeUInt8(changed.readUInt8(whole.length - 100) ^ 1, whole.length - 100);
  writeFileSync(path, changed);
  expect(await refused("sample 1")).toMatchInlineSnapshot(
    `"1: No whole checkpoint in runs/0001-gan-2d-ring8: checkpoint.safetensors is damaged: its content does not match its digest; checkpoint.previous.safetensors is missing. Restore one from a backup, or start a new run."`,
  );
  const header = Buffer.from(whole);
  header.writeBigUInt64LE(2n ** 60n);
  writeFileSync(path, header);
  expect(await refused("sample 1")).toMatchInlineSnapshot(
    `"1: No whole checkpoint in runs/0001-gan-2d-ring8: checkpoint.safetensors is damaged: its header claims 1152921504606846976 bytes, more than 100000000; checkpoint.previous.safetensors is missing. Restore one from a backup, or start a new run."`,
  );
  writeFileSync(path, whole);
});

test("a checkpoint of another run", async () => {
  const train = async (line: string): Promise<Buffer> => {
    const asked = `train ${line} --data ring8 --steps 1 --runs others`;
    expect(await duelo(...asked.split(" "))).toMatchObject({ code: 0 });
    const [folder = ""] = readdirSync("others");
    const saved = readFileSync(`others/${folder}/checkpoint.safetensors`);
    rmSync("others", { recursive: true });
    return saved;
  };
  const dir = "runs/0001-gan-2d-ring8";
  const own = readFileSync(`${dir}/checkpoint.safetensors`);
  writeFileSync(`${dir}/checkpoint.safetensors`, await train("wgan-gp-2d"));
  expect(await refused("sample 1")).toMatchInlineSnapshot(
    `"2: The checkpoint in runs/0001-gan-2d-ring8 is of recipe wgan-gp-2d, not gan-2d. Name a run of gan-2d, or start a new one."`,
  );
  writeFileSync(`${dir}/checkpoint.safetensors`, await train("gan-2d --set width=7"));
  expect(await refused("sample 1")).toMatchInlineSnapshot(
    `"2: The checkpoint in runs/0001-gan-2d-ring8 is of another run: its G.0.weight has shape [7, 256], and this run needs [128, 256]. Bring back the run's own, or start a new one."`,
  );
  expect(await refused("train gan-2d --data ring8 --steps 1")).toMatchInlineSnapshot(
    `"2: The checkpoint in runs/0001-gan-2d-ring8 is of another run: its slot.exp_avg/D.0.weight has shape [7, 2], and this run needs [128, 2]. Bring back the run's own, or start a new one."`,
  );
  writeFileSync(`${dir}/checkpoint.safetensors`, own);
}, 60_000);

test("what cannot be judged or compared", async () => {
  expect(await refused("eval")).toMatchInlineSnapshot(
    `"2: Name what to judge: a run, or a folder of samples. See duelo eval --help."`,
  );
  expect(await refused("eval 1 --metrics fidd")).toMatchInlineSnapshot(
    `"2: There is no metric "fidd". Did you mean "fid"? Metrics: modes, high-quality, reverse-kl, frechet, kernel, precision, recall, density, coverage, inception-score, ms-ssim, sharpness, copies, memorisation, class-frechet, classifier-score, sliced, perceptual, path-length, elbo, l1, psnr, ssim."`,
  );
  expect(await refused("eval photos --size 16")).toMatchInlineSnapshot(
    `"2: photos is no run, so it is not known what to hold it against. Name the real data with --against."`,
  );
  expect(await refused("eval photos --against one")).toMatchInlineSnapshot(
    `"2: one holds one picture only. A GAN learns what many pictures share: give it hundreds."`,
  );
  expect(await refused("compare 1")).toMatchInlineSnapshot(
    `"2: One run was named; a comparison takes 2 to 6."`,
  );
});

test("samples that cannot be judged", async () => {
  const judge = (rest: string) => refused(`eval photos ${rest}`);
  expect(await judge("--against mixed")).toMatchInlineSnapshot(
    `"2: The pictures of mixed differ in size (a.webp is 256 x 256, b.webp is 40 x 30). Give one size for all, such as --size 64."`,
  );
  expect(
    await refused("eval few --against photos --size 16 --metrics recall"),
  ).toMatchInlineSnapshot(
    `"2: Metric recall needs 12 samples on each side, and few has 5. Give it more."`,
  );
  expect(await judge("--against same --size 16")).toMatchInlineSnapshot(
    `"2: All 6 records of same are the same, so nothing can be held against them. Name a set of records that differ."`,
  );
  expect(await judge("--against grey --size 16")).toMatchInlineSnapshot(
    `"2: The two sides do not fit each other: those of photos are 16 x 16 pixels, RGB, those of grey are 16 x 16 pixels, grey. Bring both to one kind, such as --channels 3."`,
  );
  expect(await judge("--against photos --size 16 --features weights.pth")).toMatchInlineSnapshot(
    `"2: weights.pth is not the network of FID: its sha256 begins with c814b209, that of pt_inception-2015-12-05-6726825d.pth with 6726825d. Get that file, or give another network as ONNX; its results are named after it."`,
  );
  expect(await judge("--against photos --size 16 --features net.onnx")).toMatchInlineSnapshot(
    `"2: net.onnx is no ONNX file that ONNX Runtime can load. Get it again."`,
  );
  expect(
    await judge("--against photos --size 28 --features fashion-classifier"),
  ).toMatchInlineSnapshot(
    `"2: fashion-classifier takes images of 1 channel, and these have 3 channels. Choose another network, or give the data as 1 channel."`,
  );
  expect(await judge("--against photos --size 16 --metrics class-fid")).toMatchInlineSnapshot(
    `"2: Metric class-frechet needs labels on both sides: class folders, or a generator that takes classes."`,
  );
  expect(await judge("--against photos --size 16 --metrics cas")).toMatchInlineSnapshot(
    `"2: Metric classifier-score needs labels on both sides: class folders, or a generator that takes classes."`,
  );
  expect(await judge("--against photos --size 16 --metrics memorisation")).toMatchInlineSnapshot(
    `"2: Metric memorisation needs samples made of noise and data held out from training: train with --hold-out 0.1."`,
  );
});
