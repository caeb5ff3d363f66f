import { expect, test, vi } from "vitest";
import { jsonReporter, logText, textReporter } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

const same = (text: string): string => text;

function memory(live: boolean): { terminal: Terminal; written: { out: string; err: string } } {
  const written = { out: "", err: "" };
  const terminal = {
    out: (text: string) => void (written.out += text),
    err: (text: string) => void (written.err += text),
    live,
    columns: 60,
    bold: same,
    dim: same,
  };
  return { terminal, written };
}

const at = (step: number) => ({
  step,
  nImages: step * 64,
  fraction: step / 200,
  imagesPerSecond: 812.3,
  secondsLeft: 130,
  log: { "loss/D": 1.021, "loss/G": 1.432, "D/real": 1.2, "D/fake": -1.41, "D/accuracyReal": 0.9 },
});
const result = {
  dir: "runs/0001-dcgan-emoji",
  step: 200,
  nImages: 12800,
  seconds: 245,
  probeSeconds: 5,
  finished: true,
  samples: "runs/0001-dcgan-emoji/samples/00000200.png",
  report: "runs/0001-dcgan-emoji/report.html",
  log: {},
};

test("a name of a file can neither move the cursor nor begin a line", () => {
  const { terminal, written } = memory(false);
  textReporter(terminal).note("Left out a\u001b[31mb\nRun runs/0009.png: empty file.");
  expect(written.err).toBe("Left out a\ufffd[31mb\ufffdRun runs/0009.png: empty file.\n");
});

test("what is said of a step, with and without a D", () => {
  expect(logText(at(1).log)).toBe("loss D 1.02, G 1.43; D real 1.20, fake -1.41");
  expect(logText({ "loss/E+G": 102.4, kl: 3 })).toBe("loss E+G 102");
  expect(logText({})).toBe("");
});

test("a log file gets a line every five seconds, and the last step", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const { terminal, written } = memory(false);
  const reporter = textReporter(terminal);
  reporter.data(5, 10, "decoding");
  reporter.begun({ dir: "runs/0001-dcgan-emoji", resumedAt: 40 });
  for (let step = 41; step <= 200; step++) {
    vi.advanceTimersByTime(40);
    reporter.progress(at(step));
  }
  reporter.end(result);
  vi.useRealTimers();
  expect(written).toMatchInlineSnapshot(`
    {
      "err": "Run runs/0001-dcgan-emoji, going on from step 40
    82 %, step 165, 812 records/s, 2 m 10 s left; loss D 1.02, G 1.43; D real 1.20, fake -1.41
    100 %, step 200, 812 records/s, 2 m 10 s left; loss D 1.02, G 1.43; D real 1.20, fake -1.41
    ",
      "out": "Trained: 200 steps, 12,800 records, 4 m 05 s.
    Picture  runs/0001-dcgan-emoji/samples/00000200.png
    Report   runs/0001-dcgan-emoji/report.html
    Samples  duelo sample 0001-dcgan-emoji
    Model    duelo export 0001-dcgan-emoji
    ",
    }
  `);
});

/** Control characters by name: to the line's start, and clear to its end. */
const seen = (text: string): string =>
  text.replaceAll("\r", "<start>").replaceAll("\u001B[K", "<clear>");

test("a person gets one line, drawn again and cut at the window's edge", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const { terminal, written } = memory(true);
  const reporter = textReporter(terminal);
  reporter.progress(at(100));
  reporter.progress(at(101)); // too soon
  vi.advanceTimersByTime(200);
  reporter.progress(at(102));
  reporter.note("Left out a.png: empty file.");
  reporter.end({ ...result, finished: false, step: 102 });
  vi.useRealTimers();
  expect(seen(written.err)).toMatchInlineSnapshot(`
    "<start>[==========          ] 50 %, step 100, 812 records/s, 2 m 1<clear><start>[==========          ] 51 %, step 102, 812 records/s, 2 m 1<clear><start><clear>Left out a.png: empty file.
    "
  `);
  expect(written.out).toMatch(
    /^Stopped: 102 steps.*\nReport {3}runs\/0001-dcgan-emoji\/report.html\n$/s,
  );
  const widths = written.err.split(/[\r\n]/).map((line) => line.replace("\u001B[K", "").length);
  expect(Math.max(...widths)).toBeLessThan(60);
});

test("the same command after the end of its run says so", () => {
  const { terminal, written } = memory(false);
  const reporter = textReporter(terminal);
  reporter.begun({ dir: "runs/0001-dcgan-emoji", resumedAt: 200 });
  reporter.end(result);
  expect(written.err).toContain("It was finished already; --new begins another.");
});

test("a program gets an object a line", () => {
  const { terminal, written } = memory(false);
  const reporter = jsonReporter(terminal);
  reporter.begun({ dir: "runs/0001-dcgan-emoji", resumedAt: 0 });
  reporter.progress(at(200));
  reporter.note("a line");
  reporter.end(result);
  const lines = written.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toEqual([
    { event: "begun", dir: "runs/0001-dcgan-emoji", resumedAt: 0 },
    { event: "progress", ...at(200) },
    { event: "note", line: "a line" },
    { event: "end", ...result },
  ]);
  expect(written.err).toBe("");
});
