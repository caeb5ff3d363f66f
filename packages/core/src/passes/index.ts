export { optimize } from "./optimize.ts";
