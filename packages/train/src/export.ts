import { optimize, toOnnx, UserError, type NoiseSpec } from "@duelo/core";
import { openRuntime, type HostTensor } from "@duelo/runtime";
import { findRecipe, traceSample, type Context, type ImageField, type Recipe } from "@duelo/zoo";
import { copyFile, readFile, stat } from "node:fs/promises";
import { loadCheckpoint } from "./run/checkpoint.ts";
import type { RunFolder } from "./run/folder.ts";
import { findRun, type RunInfo } from "./run/runs.ts";
