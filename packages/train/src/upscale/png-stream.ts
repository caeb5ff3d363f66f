import { once } from "node:events";
import { constants, crc32, createDeflate, type Deflate } from "node:zlib";
import { writeAll, type OpenFile } from "../run/file-system.ts";

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const colourTypes = { 1: 0, 2: 4, 3: 2, 4: 6 } as const;

export interface PngSize {
  readonly height: number;
  readonly width: number;
  /** Grey, grey and alpha, RGB, RGB and alpha; 8 bits each. */
  readonly channels: 1 | 2 | 3 | 4;
}

/** Writes a PNG row by row, so that a picture larger than memory can be written (ISO/IEC 15948). */
export class PngStream {
  readonly #file: OpenFile;
  readonly #deflate: Deflate;
  readonly #rowBytes: number;
  readonly #written: Promise<void>;
  #above: Uint8Array;
  #position = 0;

  private constructor(file: OpenFile, { width, channels }: PngSize) {
    this.#file = file;
    this.#rowBytes = width * channels;
    this.#above = new Uint8Array(this.#rowBytes);
    this.#deflate = createDeflate({ level: 6, strategy: constants.Z_FILTERED });
    this.#written = this.#drain();
    this.#written.catch(() => undefined); // told by the next write
  }

  /** Begins a file. */
  static async begin(file: OpenFile, size: PngSize): Promise<PngStream> {
    const stream = new PngStream(file, size);
    const head = Buffer.alloc(13);
    head.writeUInt32BE(size.width, 0);
    head.writeUInt32BE(size.height, 4);
    head.set([8, colourTypes[size.channels], 0, 0, 0], 8);
    await stream.#append(signature);
    await stream.#chunk("IHDR", head);
    return stream;
  }

  /** Some further rows, interleaved; each is stored as its difference from the row above. */
  async rows(bytes: Uint8Array): Promise<void> {
    const n = bytes.length / this.#rowBytes;
    const filtered = new Uint8Array(n * (this.#rowBytes + 1));
    for (let row = 0; row < n; row++) {
      const from = row * this.#rowBytes;
      const to = row * (this.#rowBytes + 1);
      filtered[to] = 2; // "up"
      const above = this.#above;
      for (let i = 0; i < this.#rowBytes; i++)
        filtered[to + 1 + i] = (bytes[from + i] ?? 0) - (above[i] ?? 0);
      this.#above = bytes.subarray(from, from + this.#rowBytes);
    }
    this.#above = this.#above.slice();
    if (!this.#deflate.write(filtered))
      await Promise.race([once(this.#deflate, "drain"), this.#written]);
  }

  /** After the last row. */
  async end(): Promise<void> {
    this.#deflate.end();
    await this.#written;
    await this.#chunk("IEND", new Uint8Array());
  }

  /** Gives up what has not been written. */
  abandon(): void {
    this.#deflate.destroy();
  }

  async #drain(): Promise<void> {
    for await (const bytes of this.#deflate as AsyncIterable<Uint8Array>)
      await this.#chunk("IDAT", bytes);
  }

  async #chunk(type: string, data: Uint8Array): Promise<void> {
    const whole = Buffer.alloc(12 + data.length);
    whole.writeUInt32BE(data.length, 0);
    whole.write(type, 4, "latin1");
    whole.set(data, 8);
    whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
    await this.#append(whole);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, bytes, this.#position);
    this.#position += bytes.length;
  }
}
