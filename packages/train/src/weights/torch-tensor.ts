import { floatReaders, type FloatWidth } from "../run/floats.ts";
import { DamagedFileError } from "../run/safetensors.ts";
import { Named, Tuple, type Pickled, type PickleRules } from "./pickle.ts";

/** Memory that tensors of a file are views of. */
export class Storage {
  readonly dtype: TorchType;
  readonly key: string;
  readonly nElements: number;
  constructor(parts: { dtype: TorchType; key: string; nElements: number }) {
    this.dtype = parts.dtype;
    this.key = parts.key;
    this.nElements = parts.nElements;
  }
}

/** A tensor as its file describes it: places in a storage, counted in elements. */
export class TensorView {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(parts: {
    storage: Storage;
    offset: number;
    shape: readonly number[];
    strides: readonly number[];
  }) {
    this.storage = parts.storage;
    this.offset = parts.offset;
    this.shape = parts.shape;
    this.strides = parts.strides;
  }
}

/** How elements are kept; whole numbers are never read. */
type TorchType = { readonly nBytes: number; readonly float?: FloatWidth };

const float = (width: FloatWidth): TorchType => ({
  nBytes: floatReaders[width].nBytes,
  float: width,
});
const types: Readonly<Record<string, TorchType>> = {
  "torch.FloatStorage": float("float32"),
  "torch.DoubleStorage": float("float64"),
  "torch.HalfStorage": float("float16"),
  "torch.BFloat16Storage": float("bfloat16"),
  "torch.LongStorage": { nBytes: 8 },
  "torch.IntStorage": { nBytes: 4 },
  "torch.ShortStorage": { nBytes: 2 },
  "torch.CharStorage": { nBytes: 1 },
  "torch.ByteStorage": { nBytes: 1 },
  "torch.BoolStorage": { nBytes: 1 },
};

const isSize = (value: Pickled | undefined): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

function sizes(value: Pickled | undefined): number[] {
  if (value instanceof Tuple && value.items.every(isSize)) return value.items as number[];
  throw new DamagedFileError("one of its tensors has a shape that cannot be read");
}

/** `torch._utils._rebuild_tensor_v2`: storage, offset, shape, strides, and what does not matter here. */
function rebuild([storage, offset, shape, strides]: readonly Pickled[]): TensorView {
  if (!(storage instanceof Storage) || !isSize(offset))
    throw new DamagedFileError("one of its tensors has no storage");
  const view = new TensorView({
    ...{ storage, offset, shape: sizes(shape), strides: sizes(strides) },
  });
  const n = view.shape.reduce((a, b) => a * b, 1);
  const last = view.shape.reduce((at, size, i) => at + (size - 1) * (view.strides[i] ?? 0), offset);
  if (view.shape.length !== view.strides.length || n > storage.nElements)
    throw new DamagedFileError("one of its tensors is larger than its storage");
  if (n > 0 && last >= storage.nElements)
    throw new DamagedFileError("one of its tensors reaches beyond its storage");
  return view;
}

function storage(id: Pickled): Storage {
  const [kind, type, key, , nElements] = id instanceof Tuple ? id.items : [];
  const dtype = type instanceof Named ? types[type.name] : undefined;
  if (kind !== "storage" || typeof key !== "string" || !isSize(nElements) || dtype === undefined)
    throw new DamagedFileError("one of its tensors has a storage that cannot be read");
  return new Storage({ dtype, key, nElements });
}

/** Makes one object of each storage of a file, however often it is mentioned. */
export function torchRules(): PickleRules & { readonly storages: ReadonlyMap<string, Storage> } {
  const storages = new Map<string, Storage>();
  return {
    names: new Set(Object.keys(types)),
    calls: {
      "collections.OrderedDict": () => new Map(),
      "torch._utils._rebuild_tensor_v2": rebuild,
      "torch._utils._rebuild_parameter": ([data]) => data ?? null,
      "torch.Size": ([shape]) => shape ?? new Tuple([]),
    },
    persistent(id) {
      const made = storage(id);
      const known = storages.get(made.key);
      if (known !== undefined && (known.dtype !== made.dtype || known.nElements < made.nElements))
        throw new DamagedFileError(`its storage ${made.key} is described in two ways`);
      if (known !== undefined) return known;
      storages.set(made.key, made);
      return made;
    },
    storages,
  };
}

/** The elements of a view, row after row, as float32. */
export function contiguous(view: TensorView, bytes: Uint8Array): Float32Array {
  const { float: width } = view.storage.dtype;
  if (width === undefined) throw new TypeError("the tensor holds no floats");
  const { read, nBytes } = floatReaders[width];
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(view.shape.reduce((a, b) => a * b, 1));
  const at = view.shape.map(() => 0);
  let place = view.offset;
  for (let i = 0; i < out.length; i++) {
    out[i] = read(data, place * nBytes);
    for (let axis = at.length - 1; axis >= 0; axis--) {
      const stride = view.strides[axis] ?? 0;
      at[axis] = (at[axis] ?? 0) + 1;
      place += stride;
      if ((at[axis] ?? 0) < (view.shape[axis] ?? 0)) break;
      place -= stride * (at[axis] ?? 0);
      at[axis] = 0;
    }
  }
  return out;
}
