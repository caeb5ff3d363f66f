import { DamagedFileError } from "../run/safetensors.ts";

/**
 * A pickle that only ever becomes plain containers and what `rules` builds. Nothing is imported and
 * nothing is called but the functions of `rules.calls`, which are ours; any other name, and every
 * opcode that could do more, ends the reading. Protocols 2 to 5 as Python's `pickletools` defines them.
 */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | object // a list (array), a dict (Map), a tuple (Tuple), a name (Named), or what a rule built
  | readonly Pickled[];

/** A tuple; lists are plain arrays. */
export class Tuple {
  readonly items: readonly Pickled[];
  constructor(items: readonly Pickled[]) {
    this.items = items;
  }
}

/** A name such as `torch.FloatStorage` that was mentioned; it stands for nothing but itself. */
export class Named {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export interface PickleRules {
  /** Names that may be mentioned; each that may be called, with what the call builds. */
  readonly names: ReadonlySet<string>;
  readonly calls: Readonly<Record<string, (args: readonly Pickled[]) => Pickled>>;
  /** What a persistent id stands for. */
  readonly persistent: (id: Pickled) => Pickled;
}

/** The value of a pickle, and how many bytes it took. @throws DamagedFileError */
export function unpickle(
  bytes: Uint8Array,
  rules: PickleRules,
): { value: Pickled; nBytes: number } {
  return new Machine(bytes, rules).run();
}

/** A state dict of ten thousand tensors has a sixth of them; each may make a container of 200 bytes. */
const mostOperations = 2_000_000;
const utf8 = new TextDecoder("utf-8", { fatal: true });

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  #at = 0;
  #stack: Pickled[] = [];
  /** Stacks below the marks. */
  readonly #below: Pickled[][] = [];
  readonly #memo = new Map<number, Pickled>();

  constructor(bytes: Uint8Array, rules: PickleRules) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#rules = rules;
  }

  run(): { value: Pickled; nBytes: number } {
    for (let n = 0; ; n++) {
      if (n > mostOperations)
        throw new DamagedFileError(`its pickle has more than ${mostOperations} operations`);
      const code = this.#byte();
      if (code === 0x2e) return { value: this.#pop(), nBytes: this.#at };
      const operation = operations[code];
      if (operation === undefined) {
        const hex = code.toString(16).padStart(2, "0");
        throw new DamagedFileError(`its pickle holds the operation 0x${hex}, which is not read`);
      }
      operation(this);
    }
  }

  #need(nBytes: number): number {
    const at = this.#at;
    if (!(nBytes >= 0) || at + nBytes > this.#bytes.length)
      throw new DamagedFileError("its pickle ends too early");
    this.#at += nBytes;
    return at;
  }
  #byte = (): number => this.#view.getUint8(this.#need(1));
  uint = (size: 1 | 2 | 4): number => {
    const at = this.#need(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  };
  int32 = (): number => this.#view.getInt32(this.#need(4), true);
  /** A length of 8 bytes. */
  size = (): number => Number(this.#view.getBigUint64(this.#need(8), true));
  float64 = (): number => this.#view.getFloat64(this.#need(8), false);
  take(nBytes: number): Uint8Array {
    const at = this.#need(nBytes);
    return this.#bytes.slice(at, at + nBytes);
  }
  text(nBytes: number): string {
    try {
      return utf8.decode(this.take(nBytes));
    } catch (error) {
      if (error instanceof DamagedFileError) throw error;
      throw new DamagedFileError("its pickle holds text that is not UTF-8");
    }
  }
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw new DamagedFileError("its pickle ends too early");
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }
  /** A two's-complement whole number, little endian. */
  long(nBytes: number): number | bigint {
    let value = 0n;
    const digits = this.take(nBytes);
    if (nBytes > 16) throw new DamagedFileError("its pickle holds a number of over 128 bits");
    digits.forEach((digit, i) => (value |= BigInt(digit) << BigInt(8 * i)));
    if (nBytes > 0) value = BigInt.asIntN(8 * nBytes, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  push(value: Pickled): void {
    this.#stack.push(value);
  }
  pop = (): Pickled => this.#pop();
  #pop(): Pickled {
    if (this.#stack.length === 0) throw new DamagedFileError("its pickle takes what is not there");
    return this.#stack.pop() as Pickled;
  }
  mark(): void {
    this.#below.push(this.#stack);
    this.#stack = [];
  }
  popMark(): Pickled[] {
    const items = this.#stack;
    const below = this.#below.pop();
    if (below === undefined) throw new DamagedFileError("its pickle takes what is not there");
    this.#stack = below;
    return items;
  }
  top(): Pickled {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }
  popTuple(n: number): void {
    const items = Array.from({ length: n }, () => this.#pop());
    this.push(new Tuple(items.toReversed()));
  }

  keep(place: number): void {
    this.#memo.set(place, this.top());
  }
  keepNext = (): void => this.keep(this.#memo.size);
  recall(place: number): void {
    const value = this.#memo.get(place);
    if (value === undefined) throw new DamagedFileError("its pickle recalls what it never kept");
    this.push(value);
  }

  append(items: readonly Pickled[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new DamagedFileError("its pickle appends to what is no list");
    for (const item of items) list.push(item);
  }
  setItems(items: readonly Pickled[]): void {
    const dict = this.top();
    if (!(dict instanceof Map) || items.length % 2 === 1)
      throw new DamagedFileError("its pickle sets items of what is no dict");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }
  name(module: Pickled, name: Pickled): void {
    // Other values are never turned into text: of nested containers that could have no end.
    if (typeof module !== "string" || typeof name !== "string")
      throw new DamagedFileError("its pickle asks for a name that is no text");
    const whole = `${module}.${name}`;
    if (!this.#rules.names.has(whole) && !Object.hasOwn(this.#rules.calls, whole)) {
      throw new DamagedFileError(
        `its pickle asks for ${whole}, and only tensors in plain containers are read; nothing of it was run`,
      );
    }
    this.push(new Named(whole));
  }
  call(): void {
    const args = this.#pop();
    const callee = this.#pop();
    const make =
      callee instanceof Named && Object.hasOwn(this.#rules.calls, callee.name)
        ? this.#rules.calls[callee.name]
        : undefined;
    if (make === undefined || !(args instanceof Tuple))
      throw new DamagedFileError("its pickle calls what may not be called; nothing of it was run");
    this.push(make(args.items));
  }
  /** Attributes given to a dict (the versions in a state dict's `_metadata`) are left out. */
  build(): void {
    this.#pop();
    if (!(this.top() instanceof Map))
      throw new DamagedFileError("its pickle sets attributes of an object; nothing of it was run");
  }
  persistent(): void {
    this.push(this.#rules.persistent(this.#pop()));
  }
}

type Operation = (m: Machine) => void;
const operations: Readonly<Record<number, Operation>> = {
  0x80: (m) => void m.uint(1), // PROTO
  0x95: (m) => void m.size(), // FRAME
  0x28: (m) => m.mark(), // MARK
  0x30: (m) => void m.pop(), // POP
  0x31: (m) => void m.popMark(), // POP_MARK
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x4a: (m) => m.push(m.int32()), // BININT
  0x4b: (m) => m.push(m.uint(1)), // BININT1
  0x4d: (m) => m.push(m.uint(2)), // BININT2
  0x8a: (m) => m.push(m.long(m.uint(1))), // LONG1
  0x8b: (m) => m.push(m.long(m.int32())), // LONG4
  0x47: (m) => m.push(m.float64()), // BINFLOAT
  0x58: (m) => m.push(m.text(m.uint(4))), // BINUNICODE
  0x8c: (m) => m.push(m.text(m.uint(1))), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.text(m.size())), // BINUNICODE8
  0x54: (m) => m.push(m.text(m.int32())), // BINSTRING
  0x55: (m) => m.push(m.text(m.uint(1))), // SHORT_BINSTRING
  0x42: (m) => m.push(m.take(m.uint(4))), // BINBYTES
  0x43: (m) => m.push(m.take(m.uint(1))), // SHORT_BINBYTES
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x29: (m) => m.popTuple(0), // EMPTY_TUPLE
  0x85: (m) => m.popTuple(1), // TUPLE1
  0x86: (m) => m.popTuple(2), // TUPLE2
  0x87: (m) => m.popTuple(3), // TUPLE3
  0x74: (m) => m.push(new Tuple(m.popMark())), // TUPLE
  0x61: (m) => m.append([m.pop()]), // APPEND
  0x65: (m) => m.append(m.popMark()), // APPENDS
  0x73: (m) => m.setItems([m.pop(), m.pop()].toReversed()), // SETITEM
  0x75: (m) => m.setItems(m.popMark()), // SETITEMS
  0x71: (m) => m.keep(m.uint(1)), // BINPUT
  0x72: (m) => m.keep(m.uint(4)), // LONG_BINPUT
  0x94: (m) => m.keepNext(), // MEMOIZE
  0x68: (m) => m.recall(m.uint(1)), // BINGET
  0x6a: (m) => m.recall(m.uint(4)), // LONG_BINGET
  0x63: (m) => m.name(m.line(), m.line()), // GLOBAL
  0x93: (m) => {
    const name = m.pop(); // STACK_GLOBAL
    m.name(m.pop(), name);
  },
  0x52: (m) => m.call(), // REDUCE
  0x62: (m) => m.build(), // BUILD
  0x51: (m) => m.persistent(), // BINPERSID
};
