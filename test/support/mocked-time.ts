/** The mocked clock of a test, which refuses to be mocked twice. */
import type { TestContext } from "node:test";

const mocked = new WeakSet<TestContext>();

/** Mocks timers and the date of `t`, unless they are already. `now`: milliseconds since the epoch. */
export function mockTime(t: TestContext, now = 0): void {
  if (mocked.has(t)) return;
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now });
  mocked.add(t);
}
