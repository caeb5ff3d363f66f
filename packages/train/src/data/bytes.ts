import { UserError } from "@duelo/core";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import { constants, gunzipSync } from "node:zlib";

/** The largest file that is unpacked into memory. */
const maxUnpackedBytes = 4 * 2 ** 30;

/** The bytes of a packed file, read by position; a `.gz` is unpacked into memory. */
export interface Bytes {
  readonly length: number;
  read(offset: number, nBytes: number): Uint8Array;
  close(): void;
}

function cutShort(path: string, expected: number, found: number): UserError {
  return new UserError(
    `${basename(path)} is cut short: it has ${found} of ${expected} bytes. Download or copy it again.`,
  );
}

/** `sizeOf` tells from the first kilobyte how long the whole must be, so that nothing larger is allocated. */
export function openBytes(path: string, sizeOf: (head: Uint8Array) => number): Bytes {
  return path.endsWith(".gz") ? openGzip(path, sizeOf) : openPlain(path, sizeOf);
}

function checkSize(path: string, expected: number, found: number): void {
  if (found < expected) throw cutShort(path, expected, found);
  if (found > expected)
    throw new UserError(
      `${basename(path)} is longer than its header says: ${found} bytes, not ${expected}. It is damaged, or not of this format.`,
    );
}

function openPlain(path: string, sizeOf: (head: Uint8Array) => number): Bytes {
  const length = statSync(path).size;
  const file = openSync(path, "r");
  const read = (offset: number, nBytes: number): Uint8Array => {
    const out = new Uint8Array(nBytes);
    let done = 0;
    while (done < nBytes) {
      const n = readSync(file, out, done, nBytes - done, offset + done);
      if (n === 0) throw cutShort(path, offset + nBytes, offset + done);
      done += n;
    }
    return out;
  };
  try {
    checkSize(path, sizeOf(read(0, Math.min(1024, length))), length);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return { length, read, close: () => closeSync(file) };
}

function openGzip(path: string, sizeOf: (head: Uint8Array) => number): Bytes {
  const packed = readFileSync(path);
  const broken = () =>
    new UserError(`${basename(path)} is not a whole gzip file. Download or copy it again.`);
  const unpack = (
    part: Uint8Array,
    options: { maxOutputLength?: number; finishFlush?: number },
  ) => {
    try {
      return gunzipSync(part, options);
    } catch (error) {
      if (error instanceof RangeError)
        throw new UserError(`${basename(path)} unpacks to more than its header says.`);
      throw broken();
    }
  };
  // The start of the file, unpacked as far as it goes, holds the header.
  const head = unpack(packed.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
  const expected = sizeOf(head.subarray(0, 1024));
  if (expected > maxUnpackedBytes)
    throw new UserError(
      `${basename(path)} unpacks to ${Math.ceil(expected / 2 ** 30)} GiB, more than the 4 GiB that fit. Unpack it first: gunzip ${basename(path)}.`,
    );
  const data = unpack(packed, { maxOutputLength: expected });
  checkSize(path, expected, data.length);
  return {
    length: data.length,
    read: (offset, nBytes) => data.subarray(offset, offset + nBytes),
    close: () => {},
  };
}
