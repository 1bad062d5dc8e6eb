/** The clocks of a test: the wall's and the steady one together, which mocked timers alone would tear apart. */
import type { MockTracker } from "node:test";

/** What is mocked: a test's own tracker, or the module's. */
export type Mocking = { readonly mock: MockTracker };

const mocked = new WeakSet<MockTracker>();

/** Mocks timers and both clocks, unless they are already. `now`: milliseconds since the epoch. */
export function mockTime({ mock }: Mocking, now = 0): void {
  if (mocked.has(mock)) return;
  mocked.add(mock);
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now });
  mockSteadyClock(mock);
}

/** Mocks both clocks and leaves the timers as they are. */
export function mockClocks({ mock }: Mocking, now: number): void {
  mock.timers.enable({ apis: ["Date"], now });
  mockSteadyClock(mock);
}

/** Has `performance.now()` follow a mocked date, until the mocks are restored. */
export function mockSteadyClock(mock: MockTracker): void {
  mock.method(performance, "now", () => Date.now() - performance.timeOrigin);
}
