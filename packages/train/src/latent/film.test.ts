import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeFilm, filmFormat } from "./film.ts";

const root = mkdtempSync(join(tmpdir(), "duelo-film-test-"));
const path = process.env["PATH"];
afterAll(() => {
  process.env["PATH"] = path;
  rmSync(root, { recursive: true });
});

const frames: Uint8Array[] = [];
beforeAll(async () => {
  for (const r of [10, 120, 250]) {
    const create = { width: 6, height: 4, channels: 3, background: { r, g: 0, b: 0 } } as const;
    frames.push(await sharp({ create }).png().toBuffer());
  }
});

test.each(["webp", "gif"] as const)(
  "%s holds every frame, goes round, and keeps time",
  async (format) => {
    const film = await encodeFilm({ frames, format, framesPerSecond: 10 });
    const meta = await sharp(film, { pages: -1 }).metadata();
    expect(meta).toMatchObject({ format, pages: 3, width: 6, pageHeight: 4, loop: 0 });
    expect(meta.delay).toEqual([100, 100, 100]);
    const last = await sharp(film, { page: 2 }).removeAlpha().raw().toBuffer();
    expect(Math.abs((last[0] ?? 0) - 250)).toBeLessThanOrEqual(5); // a palette, in GIF
  },
);

test("one frame is a film too", async () => {
  const film = await encodeFilm({
    frames: frames.slice(0, 1),
    format: "webp",
    framesPerSecond: 10,
  });
  expect(await sharp(film).metadata()).toMatchObject({ width: 6, height: 4 });
});

/** A program in place of ffmpeg. */
function pretend(script: string): void {
  const file = join(root, "ffmpeg");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  process.env["PATH"] = [root, path].join(delimiter);
}

test("mp4 goes through ffmpeg: frame after frame in, a file out, and its last word when it fails", async () => {
  pretend('[ "$1" = -version ] && exit 0\nfor last; do :; done\ncat > "$last"');
  expect(filmFormat("a/film.MP4")).toBe("mp4");
  const film = await encodeFilm({ frames, format: "mp4", framesPerSecond: 10 });
  expect(Buffer.from(film).equals(Buffer.concat(frames))).toBe(true);
  pretend("echo some line >&2; echo no encoder >&2; exit 3");
  const failed = encodeFilm({ frames, format: "mp4", framesPerSecond: 10 });
  await expect(failed).rejects.toThrowErrorMatchingInlineSnapshot(
    `[FailureError: ffmpeg made no film (no encoder).]`,
  );
});
