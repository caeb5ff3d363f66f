import { sameShape, type DType, type Shape, type Tensor } from "./ir.ts";

/** A pure function of named inputs to named outputs, with static shapes. */
export interface Graph {
  /** Leaves of kind Input, in the order in which they are fed. */
  readonly inputs: readonly Tensor[];
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Every node that `roots` need, operands before users; the order depends on the graph alone. */
export function topological(roots: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const done = new Set<Tensor>();
  const stack: { node: Tensor; next: number }[] = [];
  for (const root of roots) {
    if (!done.has(root)) stack.push({ node: root, next: 0 });
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++];
      if (input === undefined) {
        stack.pop();
        if (!done.has(top.node)) {
          done.add(top.node);
          order.push(top.node);
        }
      } else if (!done.has(input)) {
        stack.push({ node: input, next: 0 });
      }
    }
  }
  return order;
}

/** The name of an Input leaf. */
export function inputName(t: Tensor): string {
  const name = t.attrs["name"];
  if (t.op.name !== "Input" || typeof name !== "string") {
    throw new TypeError(`${t.op.name} %${t.id} is no graph input`);
  }
  return name;
}

/**
 * Checks that a graph is well formed: each node's type is what its operation infers, every Input
 * that is reached is declared, and no name is declared twice. Throws TypeError (a bug, not a user's
 * mistake).
 */
export function verify(graph: Graph): void {
  const declared = new Set<string>();
  for (const input of graph.inputs) {
    const name = inputName(input);
    if (declared.has(name)) throw new TypeError(`input "${name}" is declared twice`);
    declared.add(name);
  }
  for (const node of topological(Object.values(graph.outputs))) {
    if (node.op.name === "Input" && !graph.inputs.includes(node)) {
      throw new TypeError(`input "${inputName(node)}" is used but not declared`);
    }
    const type = node.op.infer(node.inputs, node.attrs);
    if (type.dtype !== node.dtype || !sameShape(type.shape, node.shape)) {
      throw new TypeError(`${node.op.name} %${node.id}: type differs from what is inferred`);
    }
  }
}

const short: Record<DType, string> = { float32: "f32", int32: "i32", uint8: "u8", bool: "bool" };
const typeText = (t: { dtype: DType; shape: Shape }): string =>
  `${short[t.dtype]}[${t.shape.join(",")}]`;

function attrsText(node: Tensor): string {
  const parts = Object.entries(node.attrs).map(([k, v]) => `${k}=${JSON.stringify(v)}`);
  return parts.length > 0 ? ` {${parts.join(", ")}}` : "";
}

function literalText(node: Tensor): string {
  const values = Array.from(node.literal ?? []);
  return values.length <= 4 ? `[${values.join(", ")}]` : `<${values.length} values>`;
}

/** The graph as text, one line a node; equal graphs print equally. */
export function print(graph: Graph): string {
  const nodes = topological(Object.values(graph.outputs));
  const names = new Map<Tensor, string>();
  for (const input of graph.inputs) names.set(input, inputName(input));
  const lines: string[] = [];
  for (const node of nodes) {
    if (node.op.name === "Input") continue;
    const name = `%${lines.length}`;
    names.set(node, name);
    const args =
      node.literal === undefined
        ? `(${node.inputs.map((i) => names.get(i) ?? "?").join(", ")})${attrsText(node)}`
        : `(${literalText(node)})`;
    lines.push(`  ${name} = ${node.op.name}${args} : ${typeText(node)}`);
  }
  const head = graph.inputs.map((i) => `  ${inputName(i)} : ${typeText(i)}`).join(",\n");
  const tail = Object.entries(graph.outputs).map(([k, t]) => `${k}=${names.get(t) ?? "?"}`);
  return `graph(\n${head}\n) {\n${lines.join("\n")}\n  return ${tail.join(", ")}\n}\n`;
}
