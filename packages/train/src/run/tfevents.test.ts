import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventWriter } from "./tfevents.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "duelo-events-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** CRC-32C bit by bit, straight from its polynomial: shares nothing with the code under test. */
function slowCrc(bytes: Uint8Array): bigint {
  let remainder = 0xffffffffn;
  for (const byte of bytes) {
    remainder ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder & 1n) === 1n ? (remainder >> 1n) ^ 0x82f63b78n : remainder >> 1n;
    }
  }
  return remainder ^ 0xffffffffn;
}

function slowMasked(bytes: Uint8Array): bigint {
  const crc = slowCrc(bytes);
  return (((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn;
}

/** Strict reader of TFRecord framing: every length and checksum must be right to the last byte. */
function records(file: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at < file.length;) {
    const nData = Number(view.getBigUint64(at, true));
    expect(BigInt(view.getUint32(at + 8, true))).toBe(slowMasked(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + nData);
    expect(BigInt(view.getUint32(at + 12 + nData, true))).toBe(slowMasked(data));
    found.push(data);
    at += 16 + nData;
  }
  return found;
}

type Field = { number: number; value: bigint | Uint8Array };

/** Reads one protobuf message into its raw fields (protobuf.dev/programming-guides/encoding). */
function fields(message: Uint8Array): Field[] {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("cut short");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (nBytes: number) => {
    if (at + nBytes > message.length) throw new Error("cut short");
    return message.slice(at, (at += nBytes));
  };
  const found: Field[] = [];
  while (at < message.length) {
    const key = varint();
    const number = Number(key >> 3n);
    const wire = Number(key & 7n);
    if (wire === 0) found.push({ number, value: varint() });
    else if (wire === 1) found.push({ number, value: take(8) });
    else if (wire === 2) found.push({ number, value: take(Number(varint())) });
    else if (wire === 5) found.push({ number, value: take(4) });
    else throw new Error(`wire type ${wire}`);
  }
  return found;
}

const text = (value: bigint | Uint8Array | undefined) =>
  value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined;
const float = (value: bigint | Uint8Array | undefined) =>
  value instanceof Uint8Array ? new DataView(value.buffer).getFloat32(0, true) : undefined;
const double = (value: bigint | Uint8Array | undefined) =>
  value instanceof Uint8Array ? new DataView(value.buffer).getFloat64(0, true) : undefined;
const of = (list: Field[], number: number) => list.find((field) => field.number === number)?.value;
const message = (list: Field[], number: number) => {
  const value = of(list, number);
  if (!(value instanceof Uint8Array)) throw new Error(`no message in field ${number}`);
  return fields(value);
};

const png = () =>
  sharp({ create: { width: 5, height: 3, channels: 3, background: { r: 255, g: 0, b: 9 } } })
    .png()
    .toBuffer();

describe("event file", () => {
  test("holds version, session start, scalars and a picture, read by an independent reader", async () => {
    const writer = await EventWriter.create({ dir, firstStep: 7, now: () => 1_700_000_000_250 });
    await writer.scalars(7, { "loss/D": 0.5, "loss/G": -2 });
    const picture = await png();
    await writer.image(300, "samples", picture);
    await writer.close();

    expect(writer.path).toMatch(/\/events\.out\.tfevents\.1700000000\.[^/]+$/);
    const [version, start, scalars, image, ...rest] = records(
      new Uint8Array(readFileSync(writer.path)),
    ).map(fields);
    expect(rest).toEqual([]);
    expect(double(of(version ?? [], 1))).toBe(1_700_000_000.25);
    expect(text(of(version ?? [], 3))).toBe("brain.Event:2");
    expect(of(start ?? [], 2)).toBe(7n);
    expect(message(start ?? [], 7)).toEqual([{ number: 1, value: 1n }]);

    expect(of(scalars ?? [], 2)).toBe(7n);
    const values = message(scalars ?? [], 5).map(({ value }) => fields(value as Uint8Array));
    expect(values.map((value) => [text(of(value, 1)), float(of(value, 2))])).toEqual([
      ["loss/D", 0.5],
      ["loss/G", -2],
    ]);

    expect(of(image ?? [], 2)).toBe(300n);
    const shown = message(message(image ?? [], 5), 1);
    expect(text(of(shown, 1))).toBe("samples");
    const parts = message(shown, 4);
    expect([of(parts, 1), of(parts, 2), of(parts, 3)]).toEqual([3n, 5n, 3n]);
    expect(Buffer.from(of(parts, 4) as Uint8Array).equals(picture)).toBe(true);
  });

  test("of a later writer sorts after the earlier ones, even when the clock went back", async () => {
    const clocks = [1_700_000_000_000, 1_700_000_000_000, 1_600_000_000_000];
    for (const now of clocks) {
      const writer = await EventWriter.create({ dir, firstStep: 0, now: () => now });
      await writer.close();
    }
    const seconds = readdirSync(dir)
      .toSorted()
      .map((name) => name.split(".")[3]);
    expect(seconds).toEqual(["1700000000", "1700000001", "1700000002"]);
  });

  test("tells in one sentence that it cannot be written", async () => {
    const made = EventWriter.create({ dir: join(dir, "gone"), firstStep: 0 });
    const message = await made.catch((error: Error) => `${error.name}: ${error.message}`);
    expect(String(message).replaceAll(dir, "RUN")).toMatchInlineSnapshot(
      `"FailureError: Could not write the event file in RUN/gone (ENOENT: no such file or directory, scandir 'RUN/gone'). The same command continues from the last checkpoint."`,
    );
  });
});

const python = process.env["DUELO_PYTHON"] ?? "python3";
const hasTensorBoard = spawnSync(python, ["-c", "import tensorboard"]).status === 0;

test.skipIf(!hasTensorBoard)(
  "TensorBoard itself shows one clean curve after a resume",
  async () => {
    const first = await EventWriter.create({ dir, firstStep: 1 });
    for (const step of [1, 2, 3, 4, 5]) await first.scalars(step, { loss: step });
    const resumed = await EventWriter.create({ dir, firstStep: 4 });
    for (const step of [4, 5, 6]) await resumed.scalars(step, { loss: step * 10 });
    await resumed.image(6, "grid", await png());
    const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps([
  [[e.step, e.value] for e in events.Scalars("loss")],
  [[e.step, e.width, e.height] for e in events.Images("grid")],
]))`;
    const { stdout, stderr } = spawnSync(python, ["-c", script, dir], { encoding: "utf8" });
    expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual([
      [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 40],
        [5, 50],
        [6, 60],
      ],
      [[6, 5, 3]],
    ]);
  },
);
