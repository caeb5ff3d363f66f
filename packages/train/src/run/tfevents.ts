import { hostname } from "node:os";
import { PbfWriter } from "pbf";
import { onDisk } from "./disk-failure.ts";
import { nodeFileSystem, writeAll, type FileSystem, type OpenFile } from "./file-system.ts";
import { crc32c } from "./crc32c.ts";

const prefix = "events.out.tfevents.";
// Field numbers: tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
const eventField = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const valueField = { tag: 1, simpleValue: 2, image: 4 } as const;
const imageField = { height: 1, width: 2, colorSpace: 3, encoded: 4 } as const;
const sessionStart = 1;

/**
 * Writes what TensorBoard shows of a run. Each writer makes a file of its own, whose name sorts after
 * those of earlier writers of the run.
 */
export class EventWriter {
  /** The file that is written. */
  readonly path: string;
  readonly #file: OpenFile;
  readonly #now: () => number;
  #nBytes = 0;

  private constructor(path: string, file: OpenFile, now: () => number) {
    this.path = path;
    this.#file = file;
    this.#now = now;
  }

  /**
   * @param request.firstStep the first step that will be written. TensorBoard then drops what earlier
   * files of the run say of this step and later ones, so that a resumed run shows one clean curve
   * @param request.now the time in ms since 1970
   * @throws FailureError when the file cannot be written
   */
  static async create(request: {
    dir: string;
    firstStep: number;
    now?: () => number;
    fs?: FileSystem;
  }): Promise<EventWriter> {
    const { dir, firstStep, now = Date.now, fs = nodeFileSystem } = request;
    return writing(`in ${dir}`, async () => {
      const earlier = (await fs.list(dir)).filter((name) => name.startsWith(prefix));
      const seconds = earlier.map((name) => Number(name.slice(prefix.length).split(".")[0]) + 1);
      const second = Math.max(Math.floor(now() / 1000), ...seconds.filter(Number.isSafeInteger));
      const path = `${dir}/${prefix}${String(second).padStart(10, "0")}.${hostname()}`;
      const writer = new EventWriter(path, await fs.open(path, "create"), now);
      await writer.#write(0, (pbf) =>
        pbf.writeStringField(eventField.fileVersion, "brain.Event:2"),
      );
      await writer.#write(firstStep, (pbf) =>
        pbf.writeMessage(
          eventField.sessionLog,
          (_, log) => log.writeVarintField(1, sessionStart),
          null,
        ),
      );
      return writer;
    });
  }

  /** Writes numbers by their names, for example `{ "loss/D": 0.7 }`. @throws FailureError */
  async scalars(step: number, values: Readonly<Record<string, number>>): Promise<void> {
    await this.#summary(step, (pbf) => {
      for (const [tag, value] of Object.entries(values)) {
        pbf.writeMessage(
          1,
          (_, entry) => {
            entry.writeStringField(valueField.tag, tag);
            entry.writeFloatField(valueField.simpleValue, value);
          },
          null,
        );
      }
    });
  }

  /** Writes a picture, given as the bytes of a PNG file. @throws FailureError */
  async image(step: number, tag: string, png: Uint8Array): Promise<void> {
    const { width, height, nChannels } = pngHeader(png);
    await this.#summary(step, (pbf) => {
      pbf.writeMessage(
        1,
        (_, entry) => {
          entry.writeStringField(valueField.tag, tag);
          entry.writeMessage(
            valueField.image,
            (_, image) => {
              image.writeVarintField(imageField.height, height);
              image.writeVarintField(imageField.width, width);
              image.writeVarintField(imageField.colorSpace, nChannels);
              image.writeBytesField(imageField.encoded, png);
            },
            null,
          );
        },
        null,
      );
    });
  }

  async close(): Promise<void> {
    await writing(this.path, () => this.#file.close());
  }

  async #summary(step: number, fill: (pbf: PbfWriter) => void): Promise<void> {
    await writing(this.path, () =>
      this.#write(step, (pbf) =>
        pbf.writeMessage(eventField.summary, (_, summary) => fill(summary), null),
      ),
    );
  }

  async #write(step: number, fill: (pbf: PbfWriter) => void): Promise<void> {
    const pbf = new PbfWriter();
    pbf.writeDoubleField(eventField.wallTime, this.#now() / 1000);
    pbf.writeVarintField(eventField.step, step);
    fill(pbf);
    const bytes = frame(pbf.finish());
    await writeAll(this.#file, bytes, this.#nBytes);
    this.#nBytes += bytes.length;
  }
}

/**
 * One record of a TFRecord file: length (uint64), masked CRC-32C of the length, data, masked CRC-32C
 * of the data; little endian. Definition: tensorflow.org/tutorials/load_data/tfrecord.
 */
function frame(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length + 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Size and channels as the first chunk of a PNG gives them. */
function pngHeader(png: Uint8Array): { width: number; height: number; nChannels: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  if (png.length < 26 || view.getUint32(0) !== 0x89504e47)
    throw new Error("the picture is not a PNG");
  const nChannels = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 }[view.getUint8(25)] ?? 3; // by colour type
  return { width: view.getUint32(16), height: view.getUint32(20), nChannels };
}

function writing<T>(what: string, operation: () => Promise<T>): Promise<T> {
  const safe = "The same command continues from the last checkpoint.";
  return onDisk({ task: `write the event file ${what}`, safe }, operation);
}
