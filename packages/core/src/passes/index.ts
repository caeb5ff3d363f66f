export { blockProbe, useBlockedConvs } from "./blocked.ts";
export { splitLongProducts } from "./long-products.ts";
export { optimize } from "./optimize.ts";
