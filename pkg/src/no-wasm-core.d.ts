/** As core.js, of the module that was translated. */
export { glue } from "./core.js";
