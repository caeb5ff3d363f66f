import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DamagedFileError } from "../run/safetensors.ts";
import { unpickle, type PickleRules } from "./pickle.ts";

const rules: PickleRules = {
  names: new Set(["safe.Name"]),
  calls: { "safe.pair": (args) => [...args] },
  persistent: (id) => id,
};
/** A pickle of text and bytes put together. */
const pickle = (...parts: (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((p) => (typeof p === "number" ? [p] : [...Buffer.from(p)])));
const read = (...parts: (string | number)[]) => unpickle(pickle(...parts), rules).value;

describe("a pickle", () => {
  test("becomes plain values", () => {
    expect(read("N.")).toBeNull();
    expect(read("M", 1, 2, ".")).toBe(513);
    expect(read("J", 0xfe, 0xff, 0xff, 0xff, ".")).toBe(-2);
    expect(read(0x8a, 2, 0x00, 0x80, ".")).toBe(-32_768);
    expect(read(0x8a, 0, ".")).toBe(0);
    expect(read("G", 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, ".")).toBe(1.5);
    expect(read("X", 2, 0, 0, 0, "ab.")).toBe("ab");
    expect(read("](K", 1, "K", 2, "e.")).toEqual([1, 2]);
    expect(read("}X", 1, 0, 0, 0, "aq", 0, "h", 0, "s.")).toEqual(new Map([["a", "a"]]));
    expect(read("csafe\npair\nK", 1, "K", 2, 0x86, "R.")).toEqual([1, 2]);
  });

  test("tells how long it is", () => {
    expect(unpickle(pickle("N.rest"), rules).nBytes).toBe(2);
  });

  test("cannot run anything", () => {
    const hostile = {
      "a function of the system": pickle("cos\nsystem\nX", 2, 0, 0, 0, "id", 0x85, "R."),
      "the same in protocol 4": pickle(0x8c, 2, "os", 0x8c, 6, "system", 0x93, "."),
      builtins: pickle("c__builtin__\neval\n."),
      "a name of Object's prototype": pickle("cconstructor\nconstructor\n."),
      "a name that may only be mentioned": pickle("csafe\nName\n)R."),
      "text instead of a function": pickle("X", 1, 0, 0, 0, "a)R."),
      "an object made without its constructor": pickle("csafe\nName\n)", 0x81, "."),
      "attributes of a list": pickle("]N", "b."),
      "an extension": pickle(0x82, 1, "."),
      "an instance of protocol 0": pickle("(ios\nsystem\n."),
    };
    for (const [name, bytes] of Object.entries(hostile))
      expect(() => unpickle(bytes, rules), name).toThrow(DamagedFileError);
    expect(() =>
      unpickle(hostile["a function of the system"], rules),
    ).toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its pickle asks for os.system, and only tensors in plain containers are read; nothing of it was run]`,
    );
  });

  test("that doubles a list again and again is no name, however it is asked for", () => {
    const doubled = Array.from({ length: 60 }, (_, i) => ["](h", i, "h", i, "eq", i + 1]).flat();
    expect(() => read("]q", 0, ...doubled, 0x8c, 1, "a", 0x93, ".")).toThrow(
      "its pickle asks for a name that is no text",
    );
  });

  test("of ever more containers is given up before they fill the memory", () => {
    expect(() => unpickle(new Uint8Array(3_000_000).fill(0x7d), rules)).toThrow(
      "its pickle has more than 2000000 operations",
    );
  });

  test("that is cut or scrambled ends in an error of its own", () => {
    const whole = pickle("}X", 1, 0, 0, 0, "a](K", 1, "K", 2, "es.");
    for (let n = 0; n < whole.length; n++)
      expect(() => unpickle(whole.subarray(0, n), rules)).toThrow(DamagedFileError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          unpickle(bytes, rules);
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedFileError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("with a length far beyond its end sets no memory aside", () => {
    expect(() => read(0x8d, 0, 0, 0, 0, 0, 0, 0, 0x10, ".")).toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its pickle ends too early]`,
    );
  });
});
