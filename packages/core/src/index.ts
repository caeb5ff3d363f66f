export { UserError, FailureError, GraphError } from "./errors.ts";
export { nearest, suggestion } from "./nearest.ts";
