import * as assert from "node:assert/strict";

/**
 * Waits until a condition holds, and fails when that takes too long.
 * @param seconds how long to wait at most
 */
export async function until(condition: () => boolean, seconds = 10): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `waited for ${seconds} seconds in vain`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
