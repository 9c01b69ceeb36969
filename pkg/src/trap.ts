import { internalError } from "./errors.js";

/** Something that can trap, after which its memory can no longer be trusted. */
interface Trappable {
  trap: unknown;
}

/** Records a trap. */
export function trapped(instance: Trappable, trap: unknown): void {
  instance.trap = trap ?? "trap";
}

/** Runs `act`. A trap in it is thrown as an InternalError. */
export function guarded<T>(instance: Trappable, act: () => T): T {
  try {
    return act();
  } catch (trap) {
    trapped(instance, trap);
    throw internalError(instance.trap);
  }
}

/** Frees a handle. After a trap its memory cannot be freed. If freeing itself traps, that is recorded for the next call. */
export function release(instance: Trappable, kept: { free(): void; __destroy_into_raw(): number }): void {
  if (instance.trap !== undefined) return void kept.__destroy_into_raw();
  try {
    kept.free();
  } catch (trap) {
    trapped(instance, trap);
  }
}
