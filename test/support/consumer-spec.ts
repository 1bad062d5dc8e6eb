/** Consumer specs for tests. */
import type { ConsumerSpec } from "../../src/contract/spec.ts";

/** An echo consumer called `main`, but for `changes`. */
export function consumerSpec(changes: Partial<ConsumerSpec> = {}): ConsumerSpec {
  return {
    name: "main",
    target: { kind: "echo" },
    concurrency: 16,
    threads: 1,
    timeoutMs: 30_000,
    maxAttempts: 5,
    fingerprint: "f1",
    ...changes,
  };
}
