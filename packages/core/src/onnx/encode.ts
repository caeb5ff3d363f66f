import { PbfWriter } from "pbf";
import type { DType, OnnxAttrs } from "../ir.ts";

/** What an ONNX file of ours holds; field numbers below are those of onnx.proto. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** "" is ONNX's own. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: OnnxAttrs;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType | "int64";
  readonly shape: readonly number[];
  /** Row-major, little-endian. */
  readonly bytes: Uint8Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  /** A name stands for an extent that is free. */
  readonly shape: readonly (number | string)[];
}

/** Opset of ONNX's own operations: what every file of ours states. */
export const opset = 21;
/** The file format that came with that opset. */
export const irVersion = 10;

const elementType = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const;
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Serialises a model. Equal models give equal bytes. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const w = new PbfWriter();
  w.writeVarintField(1, irVersion);
  w.writeStringField(2, "duelo");
  w.writeMessage(7, writeGraph, model);
  for (const domain of new Set(["", ...model.nodes.map((n) => n.domain)])) {
    w.writeMessage(8, writeOpset, { domain, version: domain === "" ? opset : 1 });
  }
  for (const pair of Object.entries(model.metadata)) w.writeMessage(14, writePair, pair);
  return w.finish();
}

function writeGraph(model: OnnxModel, w: PbfWriter): void {
  for (const node of model.nodes) w.writeMessage(1, writeNode, node);
  w.writeStringField(2, model.name);
  for (const tensor of model.initializers) w.writeMessage(5, writeTensor, tensor);
  for (const value of model.inputs) w.writeMessage(11, writeValue, value);
  for (const value of model.outputs) w.writeMessage(12, writeValue, value);
}

function writeNode(node: OnnxNode, w: PbfWriter): void {
  for (const name of node.inputs) w.writeStringField(1, name);
  for (const name of node.outputs) w.writeStringField(2, name);
  w.writeStringField(3, node.name);
  w.writeStringField(4, node.opType);
  for (const attr of Object.entries(node.attrs)) w.writeMessage(5, writeAttribute, attr);
  if (node.domain !== "") w.writeStringField(7, node.domain);
}

function writeAttribute([name, value]: [string, OnnxAttrs[string]], w: PbfWriter): void {
  w.writeStringField(1, name);
  if ("float" in value) w.writeFloatField(2, value.float);
  else if ("int" in value) w.writeVarintField(3, value.int);
  else if ("string" in value) w.writeStringField(4, value.string);
  else for (const n of value.ints) w.writeVarintField(8, n);
  const [kind] = Object.keys(value) as [keyof typeof attributeType];
  w.writeVarintField(20, attributeType[kind]);
}

function writeTensor(tensor: OnnxTensor, w: PbfWriter): void {
  for (const extent of tensor.shape) w.writeVarintField(1, extent);
  w.writeVarintField(2, elementType[tensor.dtype]);
  w.writeStringField(8, tensor.name);
  w.writeBytesField(9, tensor.bytes);
}

function writeValue(value: OnnxValue, w: PbfWriter): void {
  w.writeStringField(1, value.name);
  w.writeMessage(2, (v, type) => type.writeMessage(1, writeTensorType, v), value);
}

function writeTensorType(value: OnnxValue, w: PbfWriter): void {
  w.writeVarintField(1, elementType[value.dtype]);
  w.writeMessage(2, writeShape, value.shape);
}

function writeShape(shape: OnnxValue["shape"], w: PbfWriter): void {
  for (const extent of shape) w.writeMessage(1, writeExtent, extent);
}

function writeExtent(extent: number | string, w: PbfWriter): void {
  if (typeof extent === "number") w.writeVarintField(1, extent);
  else w.writeStringField(2, extent);
}

function writeOpset(o: { domain: string; version: number }, w: PbfWriter): void {
  w.writeStringField(1, o.domain);
  w.writeVarintField(2, o.version);
}

function writePair([key, value]: [string, string], w: PbfWriter): void {
  w.writeStringField(1, key);
  w.writeStringField(2, value);
}
