import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the system knows of no process of that id, or of no group if it is negative. */
export async function gone(id) {
  for (let tries = 0; tries < 50; tries++) {
    try {
      process.kill(id, 0); // only checks
    } catch (error) {
      return assert.equal(error.code, "ESRCH");
    }
    await sleep(100);
  }
  assert.fail("what the token command started goes on");
}
