import { inputName, type Graph } from "../graph.ts";
import { GraphError } from "../errors.ts";
import type { OnnxNode } from "./encode.ts";
import { record, type Constant, type Recording } from "./record.ts";

/** The extent of a free batch axis in ONNX files. */
const symbol = "N";
const batchName = "%batch";

interface Sizes {
  readonly a: number;
  readonly b: number;
}

/**
 * One recording of two: the same graph at two batch sizes, with what differs computed from the
 * extent of an input when the graph runs. `extent` is what a shape says of an axis.
 */
export function freeBatch(
  graph: Graph,
  other: Graph,
): Recording & { extent: (a: number, b: number) => number | string } {
  const { sizes, read } = batchOf(graph, other);
  const [one, two] = [record(graph), record(other)];
  demandSameNodes(one.nodes, two.nodes);
  const constants: Constant[] = [];
  const computed: OnnxNode[] = [];
  for (const [i, c] of one.constants.entries()) {
    const d = two.constants[i];
    if (d !== undefined && equal(c.values, d.values) && equal(c.shape, d.shape)) constants.push(c);
    else {
      const times = multiples(c, d, sizes);
      const parts = symbolic(c, times, one.nodes);
      constants.push(...parts.constants);
      computed.push(...parts.nodes);
    }
  }
  const extent = (a: number, b: number): number | string => {
    if (a === b) return a;
    const k = a / sizes.a;
    return k === 1 ? symbol : `${k}*${symbol}`;
  };
  return { nodes: [...read, ...computed, ...one.nodes], constants, names: one.names, extent };
}

/** The two batch sizes, and the node that reads the size from an input. */
function batchOf(graph: Graph, other: Graph): { sizes: Sizes; read: OnnxNode[] } {
  const found = graph.inputs.flatMap((t, i) =>
    t.shape.flatMap((a, axis) => {
      const b = other.inputs[i]?.shape[axis] ?? a;
      return a === b ? [] : [{ name: inputName(t), axis, a, b }];
    }),
  );
  const [first] = found;
  if (first === undefined || found.some((f) => f.a !== first.a || f.b !== first.b)) {
    throw new TypeError("the two graphs do not differ by the batch size of their inputs");
  }
  const { name, axis, a, b } = first;
  const attrs = { start: { int: axis }, end: { int: axis + 1 } };
  const read = {
    name: "batch",
    opType: "Shape",
    domain: "",
    inputs: [name],
    outputs: [batchName],
    attrs,
  };
  return { sizes: { a, b }, read: [read] };
}

const nodeText = (n: OnnxNode | undefined): string =>
  JSON.stringify([n?.opType, n?.domain, n?.inputs, n?.outputs, n?.attrs]);

function demandSameNodes(one: readonly OnnxNode[], two: readonly OnnxNode[]): void {
  const count = Math.max(one.length, two.length);
  for (let i = 0; i < count; i++) {
    const node = one[i] ?? two[i];
    if (node !== undefined && nodeText(one[i]) !== nodeText(two[i])) {
      throw refuse(node.opType, "the operations themselves change with the batch size", node.name);
    }
  }
}

/** For each number of an int64 constant the factor of the batch size in it; 0: it stays as it is. */
function multiples(c: Constant, d: Constant | undefined, { a, b }: Sizes): number[] {
  if (d === undefined || c.dtype !== "int64" || !equal(c.shape, d.shape)) {
    throw refuse("Constant", "its values depend on the batch size", c.at);
  }
  return Array.from(c.values, (v, i) => {
    const k = v / a;
    if (v === d.values[i]) return 0;
    if (!Number.isInteger(k) || d.values[i] !== k * b) {
      throw refuse(
        "Constant",
        `a size is ${v} at batch ${a} and ${d.values[i]} at batch ${b}`,
        c.at,
      );
    }
    return k;
  });
}

const refuse = (op: string, problem: string, at: string | undefined): GraphError =>
  new GraphError({
    op,
    problem,
    ...(at === undefined ? {} : { at }),
    hint: "A generator is exported with a free batch size, so it must treat each sample alone.",
  });

/** A constant in which `times[i]` is the factor of the batch size, as nodes that compute it. */
function symbolic(
  c: Constant,
  times: readonly number[],
  nodes: readonly OnnxNode[],
): { constants: Constant[]; nodes: OnnxNode[] } {
  const users = nodes.filter((n) => n.inputs.includes(c.name));
  const onlyReshape = users.every((n) => n.opType === "Reshape");
  if (onlyReshape && times.filter((k) => k > 0).length === 1) {
    const values = Array.from(c.values, (v, i) => (times[i] === 0 ? v : -1));
    return { constants: [{ ...c, values }], nodes: [] };
  }
  const constants: Constant[] = [];
  const made: OnnxNode[] = [];
  const node = (
    opType: string,
    inputs: string[],
    output: string,
    attrs: OnnxNode["attrs"] = {},
  ): string => {
    made.push({ name: `batch/${output}`, opType, domain: "", inputs, outputs: [output], attrs });
    return output;
  };
  const constant = (i: number, value: number): string => {
    constants.push({ ...c, name: `${c.name}.${i}`, shape: [1], values: [value] });
    return `${c.name}.${i}`;
  };
  const parts = times.map((k, i) => {
    if (k === 0) return constant(i, c.values[i] ?? 0);
    return k === 1 ? batchName : node("Mul", [batchName, constant(i, k)], `%${c.name}.${i}`);
  });
  node("Concat", parts, c.name, { axis: { int: 0 } });
  return { constants, nodes: made };
}

const equal = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((v, i) => Object.is(v, b[i]));
