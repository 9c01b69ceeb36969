/** Like core.js, for the translated module. */
export { glue } from "./core.js";
