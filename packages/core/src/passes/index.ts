export { blockProbe, useBlockedConvs } from "./blocked.ts";
export { optimize } from "./optimize.ts";
