import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demandPlace, pictureJobs } from "./picture-files.ts";
import { demandWritable } from "./writing.ts";

const root = mkdtempSync(join(tmpdir(), "duelo-files-"));
const place = (name: string): string => join(root, name);
afterAll(() => rmSync(root, { recursive: true }));

beforeAll(() => {
  for (const name of [
    "in/a.webp",
    "in/b.jpg",
    "in/c.heic",
    "in/notes.txt",
    "in/out/a.png",
    "own/a.jpg",
    "own/a.json",
    "loud/a.PNG",
  ]) {
    mkdirSync(dirname(place(name)), { recursive: true });
    writeFileSync(place(name), "");
  }
  symlinkSync(place("in/out"), place("link"));
});
const refused = (input: string, out: string, beside?: string[]): string => {
  try {
    pictureJobs(place(input), place(out), beside);
  } catch (error) {
    return String(error).replaceAll(root, "DIR");
  }
  return "";
};

describe("pictures of the user's", () => {
  test("of a folder keep their names; other files are said, and results are not taken again", () => {
    const { jobs, skipped } = pictureJobs(place("in"), place("in/out"));
    expect(jobs.map((job) => job.out)).toEqual([place("in/out/a.png"), place("in/out/b.png")]);
    expect(skipped.map((s) => s.file)).toEqual(["c.heic", "notes.txt"]);
    expect(pictureJobs(place("in/out"), place("in")).jobs).toHaveLength(1);
    expect(skipped[0]?.reason).toMatch(/^by its name it is no PNG, JPEG, .* or SVG$/);
  });

  test("are never written over, by the result or by what lies beside it", () => {
    const said = "would be written over. Choose another --out.";
    expect(refused("in/out/a.png", "in/out/a.png")).toBe(`UserError: DIR/in/out/a.png ${said}`);
    expect(refused("in/out/a.png", "in/out")).toBe(`UserError: DIR/in/out/a.png ${said}`);
    expect(refused("in", "in")).toBe(`UserError: DIR/in/out/a.png ${said}`);
    expect(refused("in", "in", [".json", ".webp"])).toBe(`UserError: DIR/in/a.webp ${said}`);
    expect(refused("own", "own", [".json"])).toBe(`UserError: DIR/own/a.json ${said}`);
    expect(refused("loud/a.PNG", "loud/a.PNG")).toBe(`UserError: DIR/loud/a.PNG ${said}`);
    expect(refused("in/out", "link")).toBe(`UserError: DIR/in/out/a.png ${said}`);
    expect(refused("link", "in/out")).toBe(`UserError: DIR/link/a.png ${said}`);
    expect(refused("in/a.webp", "in/a.png", [".webp"])).toBe(`UserError: DIR/in/a.webp ${said}`);
  });

  test("become PNG alone", () => {
    expect(refused("in/b.jpg", "large.jpg")).toBe(
      "UserError: Pictures are written as PNG, and DIR/large.jpg ends in .jpg. End it with .png.",
    );
  });
});

test("a picture's place ends in .png", () => {
  expect(() => demandPlace(place("new/mix"))).toThrow(
    /mix is to be a picture\. End its name with \.png\.$/,
  );
  expect(() => demandPlace(place("new/"))).toThrow(/is to be a picture/);
  expect(() => demandPlace(place("new/x.PNG"))).not.toThrow();
});

test("a place where nothing can be made is said before the work", () => {
  const said = (name: string, kind: "file" | "folder"): string => {
    try {
      demandWritable(place(name), kind);
    } catch (error) {
      return String(error).replaceAll(root, "DIR");
    }
    return "";
  };
  expect([said("new/x.png", "file"), said("in", "folder"), said("in/b.jpg", "file")]).toEqual(
    Array.from({ length: 3 }, () => ""),
  );
  const empty = "The place to write to is empty. Name a folder.";
  expect(() => demandWritable("", "folder")).toThrow(empty);
  expect(() => pictureJobs(place("in"), "")).toThrow(empty);
  expect(said("in", "file")).toBe(
    "UserError: DIR/in cannot be written: it is a folder. Choose another place.",
  );
  expect(said("in/b.jpg", "folder")).toBe(
    "UserError: DIR/in/b.jpg cannot be written: it is a file. Choose another place.",
  );
  expect(said("in/b.jpg/x/y.png", "file")).toBe(
    "UserError: DIR/in/b.jpg/x/y.png cannot be written: DIR/in/b.jpg is no folder. Choose another place.",
  );
});
