import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import sharp from "sharp";

/*
 * Patches of the nature photographs of the Debian package mate-backgrounds, as two folders of PNG files: one to
 * train on, and one of every third photograph, of which nothing is in the other. Most of each photograph is
 * out of focus, so only its sharpest patches are taken.
 */
const from = "/usr/share/backgrounds/mate/nature";
const [heldOutEvery, nOfAPhotograph] = [3, 60] as const;

export const hasPhotographs = (): boolean => existsSync(from);

/** Cuts the patches once; photographs are halved first, so that a pixel is worth its own. */
export async function photographPatches(
  root: string,
  side: number,
): Promise<{ readonly train: string; readonly held: string }> {
  if (!hasPhotographs()) throw new Error(`${from} is not there: apt install mate-backgrounds`);
  const folders = { train: join(root, "train"), held: join(root, "held") };
  if (existsSync(join(root, "done"))) return folders;
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const names = readdirSync(from).filter((f) => f.endsWith(".jpg"));
  for (const [i, name] of names.entries()) {
    const folder = i % heldOutEvery === 0 ? folders.held : folders.train;
    await cut(join(from, name), { folder, side });
  }
  mkdirSync(join(root, "done"));
  return folders;
}

async function cut(path: string, o: { readonly folder: string; readonly side: number }) {
  const { width = 0 } = await sharp(path).metadata();
  const { data, info } = await sharp(path)
    .resize(Math.round(width / 2))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const [columns, rows] = [Math.floor(info.width / o.side), Math.floor(info.height / o.side)];
  const raw = { width: info.width, height: info.height, channels: info.channels };
  const patches: { readonly i: number; readonly png: Buffer; readonly sharpness: number }[] = [];
  for (let i = 0; i < columns * rows; i++) {
    const [left, top] = [(i % columns) * o.side, Math.floor(i / columns) * o.side];
    const place = { left, top, width: o.side, height: o.side };
    const png = await sharp(data, { raw }).extract(place).png().toBuffer();
    patches.push({ i, png, sharpness: (await sharp(png).stats()).sharpness });
  }
  const sharpest = patches.toSorted((a, b) => b.sharpness - a.sharpness).slice(0, nOfAPhotograph);
  for (const { i, png } of sharpest)
    writeFileSync(join(o.folder, `${basename(path, ".jpg")}-${i}.png`), png);
}
