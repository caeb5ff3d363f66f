import { EventEmitter, once } from "node:events";
import { expect, test, vi } from "vitest";
import { Interrupted } from "./interrupted.ts";
import { untilSignal } from "./signals.ts";

/** Work that leaves when it is asked to. */
const untilAsked = (signal: AbortSignal): Promise<string> =>
  new Promise((done) => signal.addEventListener("abort", () => done("saved")));

test("work that no signal disturbs gives its result, and leaves no listener", async () => {
  const before = process.listenerCount("SIGINT");
  expect(await untilSignal(() => Promise.resolve(7), vi.fn())).toBe(7);
  expect(process.listenerCount("SIGINT")).toBe(before);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s lets the work finish and ends with %i", async (signal, exitCode) => {
  const onFirst = vi.fn();
  const work = untilSignal(untilAsked, onFirst);
  process.emit(signal, signal);
  await expect(work).rejects.toEqual(new Interrupted(exitCode));
  expect(onFirst).toHaveBeenCalledOnce();
});

test("a second signal leaves at once, but not the echo of the first", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const saving = new EventEmitter();
  const work = untilSignal(() => once(saving, "end"), vi.fn());
  process.emit("SIGINT", "SIGINT");
  vi.advanceTimersByTime(499);
  process.emit("SIGINT", "SIGINT");
  expect(exit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  process.emit("SIGINT", "SIGINT");
  expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  exit.mockRestore();
  vi.useRealTimers();
  saving.emit("end");
  await expect(work).rejects.toThrow(Interrupted);
});

test("SIGTERM right after Ctrl-C is no echo of it", async () => {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const saving = new EventEmitter();
  const work = untilSignal(() => once(saving, "end"), vi.fn());
  process.emit("SIGINT", "SIGINT");
  process.emit("SIGTERM", "SIGTERM");
  expect(exit).toHaveBeenCalledExactlyOnceWith(143);
  exit.mockRestore();
  saving.emit("end");
  await expect(work).rejects.toThrow(Interrupted);
});

test("an abort that a signal caused is no failure; any other error stays", async () => {
  const aborts = untilSignal((signal) => {
    process.emit("SIGINT", "SIGINT");
    signal.throwIfAborted();
    return Promise.resolve();
  }, vi.fn());
  await expect(aborts).rejects.toEqual(new Interrupted(130));
  const fails = untilSignal(() => Promise.reject(new Error("no space")), vi.fn());
  await expect(fails).rejects.toThrow("no space");
});
