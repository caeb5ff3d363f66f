import sharp from "sharp";

export interface PointPlotOptions {
  /** Rows of `nColumns` numbers; drawn in grey, and they decide what part of the plane is shown. */
  readonly real: Float32Array;
  /** Rows of `nColumns` numbers; drawn in colour over the real ones. */
  readonly generated: Float32Array;
  /** Numbers in a row; 2 unless said otherwise. The first two of more are drawn. */
  readonly nColumns?: number;
  /** Pixels of each side; 512 unless said otherwise. */
  readonly size?: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Generated points over real ones as a square PNG; both axes have the same scale, y grows upwards. */
export async function pointPlot(options: PointPlotOptions): Promise<Uint8Array> {
  const { nColumns = 2, size = 512 } = options;
  const real = readPoints(options.real, nColumns);
  const generated = readPoints(options.generated, nColumns);
  const view = viewOf(real.length > 0 ? real : generated);
  const place = ({ x, y }: Point): string => {
    const across = ((x - view.x) / view.half + 1) * (size / 2);
    const down = (1 - (y - view.y) / view.half) * (size / 2);
    return `cx="${across.toFixed(2)}" cy="${down.toFixed(2)}"`;
  };
  const dots = (points: readonly Point[], style: string): string =>
    `<g ${style}>${points.map((p) => `<circle ${place(p)} r="2.5"/>`).join("")}</g>`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">` +
    `<rect width="100%" height="100%" fill="white"/>` +
    dots(real, `fill="#888888" fill-opacity="0.5"`) +
    dots(generated, `fill="#d55e00" fill-opacity="0.8"`) +
    `</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** Rows whose first two numbers are finite; a single column is spread out evenly in height. */
function readPoints(values: Float32Array, nColumns: number): Point[] {
  const points: Point[] = [];
  for (let i = 0; i + nColumns <= values.length; i += nColumns) {
    const x = values[i] ?? Number.NaN;
    const y = nColumns === 1 ? (i * goldenRatio) % 1 : (values[i + 1] ?? Number.NaN);
    if (Number.isFinite(x) && Number.isFinite(y)) points.push({ x, y });
  }
  return points;
}

const goldenRatio = 0.618033988749895;

/** The middle of a square around the points, and half its side: a quarter wider than they are. */
function viewOf(points: readonly Point[]): Point & { half: number } {
  const x = extent(points.map((p) => p.x));
  const y = extent(points.map((p) => p.y));
  const side = Math.max(x.high - x.low, y.high - y.low);
  return {
    x: (x.low + x.high) / 2,
    y: (y.low + y.high) / 2,
    half: side > 0 ? side * 0.625 : 1,
  };
}

function extent(values: readonly number[]): { low: number; high: number } {
  if (values.length === 0) return { low: 0, high: 0 };
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return { low, high };
}
