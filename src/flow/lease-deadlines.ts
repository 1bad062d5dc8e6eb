/** Time limits of everything under lease: one timer for all, armed for the earliest, since most leases never reach theirs. */
import { GatewayError } from "../contract/errors.ts";
import { after } from "../support/time.ts";
import type { Lease, Line, LineOwner } from "./consumer-line.ts";

/** How long a consumer has to settle or release what it was told is over its time, before it is taken from it. */
export const expiryGraceMs = 10_000;

/** Sweeps all lines when the earliest deadline passes. */
export class LeaseDeadlines implements Disposable {
  readonly #lines: Set<Line>;
  readonly #owner: Pick<LineOwner, "giveBack" | "now" | "logger">;
  #timer: Disposable | null = null;
  #timerAtMs = Infinity;

  /** `lines`: all attached, the owner's own set; those that are over are taken out of it. */
  constructor(lines: Set<Line>, owner: Pick<LineOwner, "giveBack" | "now" | "logger">) {
    this.#lines = lines;
    this.#owner = owner;
  }

  /** A lease ends at this time. */
  watch(deadlineMs: number): void {
    if (deadlineMs >= this.#timerAtMs) return;
    this.#timer?.[Symbol.dispose]();
    this.#timerAtMs = deadlineMs;
    this.#timer = after(Math.max(1, Math.ceil(deadlineMs - this.#owner.now())), () => this.#fire());
  }

  /** No lease ends any more. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timerAtMs = -Infinity;
  }

  #fire(): void {
    this.#timer = null;
    this.#timerAtMs = Infinity;
    const nowMs = this.#owner.now();
    for (const line of this.#lines) {
      if (line.isOver) this.#lines.delete(line);
      this.#sweep(line, nowMs);
    }
    let nextMs = Infinity;
    for (const line of this.#lines) for (const lease of line.leases()) nextMs = Math.min(nextMs, lease.deadlineMs);
    if (nextMs < Infinity) this.watch(nextMs);
  }

  #sweep(line: Line, nowMs: number): void {
    const expired: string[] = [];
    const overdue: Lease[] = [];
    for (const lease of line.leases()) {
      if (lease.deadlineMs > nowMs) continue;
      if (lease.isExpired) overdue.push(lease);
      else expired.push(lease.delivery.receipt);
      lease.isExpired = true;
      lease.deadlineMs = nowMs + expiryGraceMs;
    }
    if (overdue.length > 0) this.#take(line, overdue);
    if (expired.length === 0) return;
    try {
      line.port.expire(expired);
    } catch (reason) {
      const error = GatewayError.from(reason).message;
      this.#owner.logger.error("expiry-failed", { consumer: line.port.name, error });
    }
  }

  #take(line: Line, overdue: readonly Lease[]): void {
    const error = new GatewayError("timeout", `Cannot wait for consumer "${line.port.name}": it kept a message`);
    for (const lease of overdue) line.take(lease.delivery.receipt);
    this.#owner.giveBack(line, overdue, { countAttempt: true, error: error.toReport() });
  }
}
