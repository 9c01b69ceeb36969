import { internalError } from "./errors.js";

/** What can trap: its memory cannot be trusted any more. */
interface Trappable {
  trap: unknown;
}

/** Records a trap. */
export function trapped(instance: Trappable, trap: unknown): void {
  instance.trap = trap ?? "trap";
}

/** Runs what may trap, which is then thrown as an InternalError. */
export function guarded<T>(instance: Trappable, act: () => T): T {
  try {
    return act();
  } catch (trap) {
    trapped(instance, trap);
    throw internalError(instance.trap);
  }
}

/** Frees what an instance keeps. After a trap its memory cannot be freed; a trap of this is for the next to meet. */
export function release(instance: Trappable, kept: { free(): void; __destroy_into_raw(): number }): void {
  if (instance.trap !== undefined) return void kept.__destroy_into_raw();
  try {
    kept.free();
  } catch (trap) {
    trapped(instance, trap);
  }
}
