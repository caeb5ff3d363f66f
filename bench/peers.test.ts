import { afterAll, describe, expect, test } from "vitest";
import { findTorch, startOurs, startTorch } from "./peers.ts";

const python = findTorch();
const peer = python === undefined ? undefined : startTorch(python);
afterAll(() => peer?.quit());

/** Why PyTorch cannot race here, or nothing; a slow BLAS under it is a reason. */
const why =
  peer === undefined
    ? "no Python here has PyTorch"
    : await peer.setup({ case: "ring8", threads: 1 }).then(
        () => undefined,
        (error: unknown) => String(error),
      );
const title = why === undefined ? "PyTorch as a peer" : `PyTorch as a peer (skipped: ${why})`;

describe.skipIf(why !== undefined)(title, () => {
  test("sets a case up, times its steps and says what memory it took", async () => {
    // Weights and biases of 256-128-128-2 and 2-128-128-1.
    const ready = await peer?.setup({ case: "ring8", threads: 1 });
    expect(ready?.params).toBe(49_666 + 17_025);
    const times = (await peer?.run(3))?.ms ?? [];
    expect(times).toHaveLength(3);
    expect(times.every((timeMs) => timeMs > 0)).toBe(true);
    expect(await peer?.peak()).toBeGreaterThan(50e6);
  });

  test("answers a wrong request with an error, and goes on", async () => {
    await expect(
      peer?.setup({ case: "ring9", threads: 1 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: unknown case ring9; there are dcgan64-w64, dcgan64-w32, wgan-gp-critic, ring8, sample-dcgan64, stylegan2-32, stylegan2-32-lazy, cyclegan64, biggan32, upscale-512, sample-stylegan2-64]`,
    );
    expect((await peer?.run(1))?.ms).toHaveLength(1);
  });
});

describe("Duelo as a peer", () => {
  const ours = startOurs();
  afterAll(() => ours.quit());

  test("does the same work, and says how much of it was not ONNX Runtime", async () => {
    expect((await ours.setup({ case: "ring8", threads: 1 })).params).toBe(49_666 + 17_025);
    const { ms, outsideMs = [] } = await ours.run(3);
    expect(ms).toHaveLength(3);
    expect(outsideMs).toHaveLength(3);
    for (const [i, outside] of outsideMs.entries()) {
      expect(outside).toBeGreaterThan(0);
      expect(outside).toBeLessThan(ms[i] ?? 0);
    }
    expect(await ours.peak()).toBeGreaterThan(50e6);
  });
});
