import { FailureError, UserError } from "@duelo/core";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import sharp from "sharp";

type FilmFormat = "webp" | "gif" | "mp4";

/**
 * The format that a film's name asks for: animated WebP or GIF, or MP4 where `ffmpeg` is on the PATH.
 * Throws UserError.
 */
export function filmFormat(path: string): FilmFormat {
  const extension = extname(path).toLowerCase();
  if (extension === ".webp") return "webp";
  if (extension === ".gif") return "gif";
  if (extension !== ".mp4")
    throw new UserError(
      `${path} is no name of a film. End it with .webp, .gif or .mp4, or with .png for rows of pictures.`,
    );
  if (spawnSync("ffmpeg", ["-version"]).status === 0) return "mp4";
  throw new UserError(
    `${path} needs ffmpeg, which is not on the PATH. Install it, or end the name with .webp or .gif.`,
  );
}

/** Frames, PNG files of one size, as one film that goes round. Throws FailureError. */
export async function encodeFilm(o: {
  frames: readonly Uint8Array[];
  format: FilmFormat;
  framesPerSecond: number;
}): Promise<Uint8Array> {
  const { frames, format, framesPerSecond } = o;
  if (format === "mp4") return viaFfmpeg(frames, framesPerSecond);
  const delay = frames.map(() => Math.round(1000 / framesPerSecond));
  // One frame alone is a picture; joining takes two and more.
  const film =
    frames.length === 1 ? sharp(frames[0]) : sharp([...frames], { join: { animated: true } });
  return format === "webp"
    ? film.webp({ loop: 0, delay, lossless: true }).toBuffer()
    : film.gif({ loop: 0, delay }).toBuffer();
}

/** MP4 has a header that is written last, so it goes to a file and not to a pipe. */
async function viaFfmpeg(
  frames: readonly Uint8Array[],
  framesPerSecond: number,
): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "duelo-film-"));
  const path = join(folder, "film.mp4");
  try {
    const input = ["-f", "image2pipe", "-framerate", String(framesPerSecond), "-i", "-"];
    const even = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"];
    const child = spawn("ffmpeg", ["-v", "error", "-y", ...input, ...even, path]);
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said += text.toString()));
    child.stdin.on("error", () => undefined); // its exit code says why
    for (const frame of frames) child.stdin.write(frame);
    child.stdin.end();
    const code = await new Promise((resolve) => {
      child.on("error", (error) => {
        said = error.message;
        resolve(undefined);
      });
      child.on("close", resolve);
    });
    if (code !== 0)
      throw new FailureError(`ffmpeg made no film (${said.trim().split("\n").at(-1) ?? ""}).`);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}
