import { inputName, verify, type Graph } from "../graph.ts";
import { sizeOf, type Tensor } from "../ir.ts";
import { encodeModel, type OnnxNode, type OnnxTensor, type OnnxValue } from "./encode.ts";
import { bytes, record, shareConstants } from "./record.ts";
import { freeBatch } from "./free-batch.ts";

export interface OnnxOptions {
  /** Name of the graph; `graph` unless said otherwise. */
  readonly name?: string;
  /** Key and value pairs that any ONNX runtime can read. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Values, row-major, of float32 inputs that are to be inside the file and no inputs any more. */
  readonly initializers?: Readonly<Record<string, Float32Array>>;
  /**
   * Makes the batch size free. `other` is the same graph traced at another batch size: an extent that
   * differs between the two is the batch, times a whole number. Sizes that share no extent with the
   * nets (5 and 7, say) tell the batch from the rest best.
   */
  readonly freeBatch?: { readonly other: Graph };
}

/**
 * A graph as the bytes of an ONNX file: opset 21, IR version 10 (both loaded by onnxruntime-node and
 * onnxruntime-web 1.30 in the tests). Nodes are named by where they were traced, inputs and outputs
 * as in the graph. Equal graphs give equal bytes.
 *
 * Throws GraphError when the batch size is to be free and an operation depends on it otherwise than
 * by a size; TypeError when the graph is malformed or an initializer does not fit.
 */
export function toOnnx(graph: Graph, options: OnnxOptions = {}): Uint8Array {
  verify(graph);
  const { initializers = {} } = options;
  const free =
    options.freeBatch === undefined
      ? { ...record(graph), extent: (d: number): number | string => d }
      : freeBatch(graph, options.freeBatch.other);
  const { tensors, same } = shareConstants(free.constants);
  const value = (t: Tensor, name: string): OnnxValue => {
    const other = options.freeBatch?.other;
    const twin = other === undefined ? t : (twinOf(graph, other, t) ?? t);
    return {
      name,
      dtype: t.dtype,
      shape: t.shape.map((d, i) => free.extent(d, twin.shape[i] ?? d)),
    };
  };
  return encodeModel({
    name: options.name ?? "graph",
    nodes: nameOutputs(graph, free.names, shared(free.nodes, same)),
    initializers: [...weights(graph, initializers), ...tensors],
    inputs: graph.inputs
      .filter((t) => initializers[inputName(t)] === undefined)
      .map((t) => value(t, inputName(t))),
    outputs: Object.entries(graph.outputs).map(([name, t]) => value(t, name)),
    metadata: options.metadata ?? {},
  });
}

/** The input or output of `other` that stands where `t` stands. */
function twinOf(graph: Graph, other: Graph, t: Tensor): Tensor | undefined {
  const index = graph.inputs.indexOf(t);
  if (index >= 0) return other.inputs[index];
  const [name = ""] = Object.entries(graph.outputs).find(([, o]) => o === t) ?? [];
  return other.outputs[name];
}

function weights(graph: Graph, values: Readonly<Record<string, Float32Array>>): OnnxTensor[] {
  return Object.entries(values).map(([name, data]) => {
    const input = graph.inputs.find((t) => inputName(t) === name);
    if (input?.dtype !== "float32" || data.length !== sizeOf(input.shape)) {
      const asked = input === undefined ? "no input" : `${input.dtype} of ${sizeOf(input.shape)}`;
      throw new TypeError(
        `initializer "${name}" has ${data.length} values; the graph has ${asked}`,
      );
    }
    return { name, dtype: "float32", shape: input.shape, bytes: bytes(data) };
  });
}

const shared = (nodes: readonly OnnxNode[], same: ReadonlyMap<string, string>): OnnxNode[] =>
  nodes.map((n) => ({ ...n, inputs: n.inputs.map((i) => same.get(i) ?? i) }));

/** Gives results the names of the outputs; a result that has a name already passes an Identity. */
function nameOutputs(
  graph: Graph,
  names: ReadonlyMap<Tensor, string>,
  nodes: readonly OnnxNode[],
): OnnxNode[] {
  const renamed = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const [output, tensor] of Object.entries(graph.outputs)) {
    const from = names.get(tensor) ?? "";
    if (from.startsWith("%") && !renamed.has(from)) {
      renamed.set(from, output);
    } else {
      const name = `Identity ${output}`;
      copies.push({
        name,
        opType: "Identity",
        domain: "",
        inputs: [from],
        outputs: [output],
        attrs: {},
      });
    }
  }
  const rename = (name: string): string => renamed.get(name) ?? name;
  return [...nodes, ...copies].map((n) => ({
    ...n,
    inputs: n.inputs.map(rename),
    outputs: n.outputs.map(rename),
  }));
}
