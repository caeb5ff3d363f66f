import { openRuntime, type HostTensor } from "@duelo/runtime";
import { dcganSteps } from "../dcgan-steps.ts";
import { startOf, steps, trials } from "./trials.ts";

/*
 * Runs every trial on the device that is named, and prints what came out. A process of its own: the
 * Vulkan driver is chosen when a process starts.
 */
const device = process.argv[2] === "webgpu" ? "webgpu" : "cpu";
const runtime = await openRuntime({ device });
const results: Record<string, Record<string, number[]>> = {};
const numbers = (values: Record<string, HostTensor>): [string, number[]][] =>
  Object.entries(values).map(([name, t]) => [name, Array.from(t.data)]);

for (const trial of trials()) {
  const { graph, state: replaces, feeds, initial } = startOf(trial);
  const program = await runtime.compile(graph, { state: replaces });
  const state = runtime.createState(initial);
  let outputs: Record<string, HostTensor> = {};
  for (let i = 0; i < steps; i++) {
    outputs = await program.run(feeds, state);
    if (i === 0) await state.read(); // reading in between must change nothing
  }
  results[trial.name] = Object.fromEntries([...numbers(outputs), ...numbers(await state.read())]);
}
const { losses, state } = await dcganSteps(runtime, 2);
results["dcgan"] = { losses: losses.flat(), ...Object.fromEntries(numbers(state)) };
await runtime.close();
process.stdout.write(JSON.stringify(results));
