// decode.ts FILE CACHE: fills the cache of decoded pictures, so that the process that is measured finds
// it full, as every run of training does after the first.
import { openData } from "@duelo/train";

const [spec = "", cacheDir = ""] = process.argv.slice(2);
(await openData({ spec, domain: "image", cacheDir })).close();
