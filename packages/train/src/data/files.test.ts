import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { listFiles, pathError, readEncoded } from "./files.ts";

const dir = mkdtempSync(join(tmpdir(), "duelo-files-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("files come in code-unit order, without hidden ones, and no folder twice", () => {
  for (const name of [
    "b/2.png",
    "b/10.png",
    "B.png",
    "a.png",
    ".hidden/x.png",
    "__MACOSX/x.png",
    "é.png",
  ]) {
    mkdirSync(join(dir, name, ".."), { recursive: true });
    writeFileSync(join(dir, name), "");
  }
  symlinkSync(dir, join(dir, "loop"));
  symlinkSync(join(dir, "nowhere"), join(dir, "broken.png"));
  expect(listFiles(dir).map((f) => f.name)).toEqual([
    "B.png",
    "a.png",
    "b/10.png",
    "b/2.png",
    "broken.png",
    "é.png",
  ]);
});

test("a picture that is a link to nothing says so", async () => {
  await expect(readEncoded(join(dir, "broken.png"))).rejects.toThrow(
    "it is a link to what is not there",
  );
  await expect(readEncoded(join(dir, "none.png"))).rejects.toThrow("it is not there");
  expect(pathError(join(dir, "broken.png"), error("ENOENT")).message).toMatch(
    /broken\.png is a link to what is not there\. Check where it leads\.$/,
  );
});

test("a pipe, which may never end, is listed and not read", async () => {
  const pipes = join(dir, "pipes");
  mkdirSync(pipes);
  execFileSync("mkfifo", [join(pipes, "pipe.png")]);
  expect(listFiles(pipes).map((f) => f.name)).toEqual(["pipe.png"]);
  await expect(readEncoded(join(pipes, "pipe.png"))).rejects.toThrow("it is no regular file");
  await expect(readEncoded(pipes)).rejects.toThrow("it is a folder");
});

const error = (code: string, path?: string) =>
  Object.assign(new Error(code), { code, ...(path ? { path } : {}) });

describe("a path that cannot be opened", () => {
  test.each([
    [error("ENOENT"), "There is no file or folder ./x. Check the path."],
    [error("ENOTDIR"), "There is no file or folder ./x. Check the path."],
    [
      error("EACCES", "./x/inner"),
      "./x/inner cannot be read: permission denied. Check its owner and mode.",
    ],
    [error("EIO"), "./x cannot be read (EIO)."],
    [new Error("odd"), "./x cannot be read."],
  ])("%s", (cause, text) => {
    expect(pathError("./x", cause).message).toBe(text);
  });
});
