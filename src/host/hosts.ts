/** The pool of hosts: places generations, replaces dead hosts, ends condemned ones. */
import { GatewayError } from "../contract/errors.ts";
import type { GenerationHandle, GenerationListener, HostGone, Hosts, OpenRequest } from "../contract/host.ts";
import type { HostStatus } from "../contract/status.ts";
import type { Logger } from "../support/logger.ts";
import { after, every, orAborted, sleep, withDeadline } from "../support/time.ts";
import { clearOut } from "./clear-out.ts";
import type { HostConnection } from "./host-connection.ts";
import type { HostGrants, ReadGrants } from "./host-grants.ts";
import { HostSlots, type HostSlot } from "./host-slots.ts";
import type { HostPids } from "./host-pids.ts";
import type { ThreadEntries } from "./relay.ts";
import { startInlineHost, startProcessHost, type StartedHost } from "./start-host.ts";
import { HostWatch } from "./host-watch.ts";
import { supersededHosts } from "./superseded-hosts.ts";

const watchPeriodMs = 500;
const retiredDeadlineMs = 3000;
const noGrants: ReadGrants = new Set();

/** What the pool is built with. */
export type HostPoolOptions = {
  readonly mode: "process" | "inline";
  readonly hostEntryUrl: string;
  readonly threadEntries: ThreadEntries;
  readonly maxAdapters: number;
  readonly memoryLimitMb: number;
  readonly pids: HostPids;
  /** Node's permission model for adapter hosts; `null`: not used. */
  readonly grants: HostGrants | null;
  /** The modules that hosts should be able to run: those of the adapters that are there. */
  readonly moduleUrls: () => readonly string[];
  readonly logger: Logger;
};

/** See {@link Hosts}. */
export class HostPool implements Hosts {
  readonly #options: HostPoolOptions;
  readonly #slots: HostSlots;
  readonly #ended = new AbortController();
  readonly #timer: Disposable;
  readonly #watch: HostWatch;
  #killTimer: Disposable | null = null;

  constructor(options: HostPoolOptions) {
    this.#options = options;
    this.#slots = new HostSlots(options.mode);
    this.#watch = new HostWatch(options.memoryLimitMb * 1_048_576);
    this.#timer = every(
      watchPeriodMs,
      () => this.#watchHosts(),
      (reason) => options.logger.error("host-watch-failed", { reason: String(reason) }),
    );
  }

  async open(request: OpenRequest, listener: GenerationListener): Promise<GenerationHandle> {
    const slot = this.#slots.of(request);
    const needed = await this.#grantsFor(request);
    const signal = AbortSignal.any([request.signal, this.#ended.signal]);
    slot.waiting += 1;
    try {
      for (;;) {
        signal.throwIfAborted();
        const host = this.#hostWithRoom(slot, request.key, needed);
        if (host !== null) {
          const handle = host.connection.open(request, listener);
          request.signal.addEventListener("abort", () => handle.terminate(), { once: true });
          return handle;
        }
        const delayMs = slot.delay.nextMs(performance.now());
        if (delayMs > 0) listener.onHostDelayed(delayMs);
        slot.starting ??= this.#startHost(slot, needed).finally(() => {
          slot.starting = null;
          this.#retireUnused(slot);
        });
        await orAborted(slot.starting, signal);
      }
    } finally {
      slot.waiting -= 1;
      this.#retireUnused(slot);
    }
  }

  status(): readonly HostStatus[] {
    return this.#hosts().map(([{ connection }, slot]) => ({
      pid: connection.pid,
      kind: connection.kind,
      rssBytes: connection.rssBytes,
      keys: connection.keys,
      restarts: slot.restarts,
      quarantineReason: null,
    }));
  }

  rssBytes(hostPid: number): number {
    return this.#hosts().find(([{ connection }]) => connection.pid === hostPid)?.[0].connection.rssBytes ?? 0;
  }

  killAfter(delayMs: number): void {
    this.#killTimer = after(delayMs, () => {
      for (const [host] of this.#hosts()) host.kill();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The gateway is shutting down"));
    this.#timer[Symbol.dispose]();
    await Promise.allSettled([...this.#slots].flatMap(({ starting }) => starting ?? []));
    await Promise.all(this.#hosts().map(([host]) => retire(host)));
    this.#killTimer?.[Symbol.dispose]();
    await this.#options.pids.flush();
  }

  #hosts(): readonly (readonly [StartedHost, HostSlot])[] {
    return [...this.#slots].flatMap((slot) => [...slot.hosts].map((host) => [host, slot] as const));
  }

  async #grantsFor({ entry, moduleUrl }: OpenRequest): Promise<ReadGrants> {
    const { grants } = this.#options;
    return grants === null || entry === "consumer" ? noGrants : grants.ofModule(moduleUrl);
  }

  #hostWithRoom(slot: HostSlot, key: string, needed: ReadGrants): StartedHost | null {
    for (const host of slot.hosts) {
      const { connection, readable } = host;
      if (connection.isCondemned || connection.isGone || host.isExpectedToEnd) continue;
      if (readable !== null && !needed.isSubsetOf(readable)) continue;
      // Adapters, not threads: with its spare thread an adapter is there twice.
      if (new Set([...connection.keys, key]).size <= this.#options.maxAdapters) return host;
    }
    return null;
  }

  /** What a new host's adapters may read: what this one needs and, where many share a host, what the others do. */
  async #readable(slot: HostSlot, needed: ReadGrants, grants: HostGrants): Promise<ReadGrants> {
    if (slot.placement !== "shared") return needed;
    const urls = new Set(this.#options.moduleUrls());
    // A module whose folder cannot be granted is refused when it is opened, and nobody else for its sake.
    const others = await Promise.all([...urls].map((url) => grants.ofModule(url).catch(() => noGrants)));
    return new Set([...needed, ...others.flatMap((each) => [...each])]);
  }

  async #startHost(slot: HostSlot, needed: ReadGrants): Promise<void> {
    const { logger, pids, mode, hostEntryUrl, threadEntries, grants } = this.#options;
    const { placement } = slot;
    const delayMs = slot.delay.nextMs(performance.now());
    if (delayMs > 0) logger.warn("host-delayed", { placement, delayMs: Math.round(delayMs) });
    await sleep(delayMs, this.#ended.signal);
    if (slot.waiting === 0) return;
    const isConfined = grants !== null && mode === "process" && placement !== "consumer";
    const confined = isConfined ? { grants, readable: await this.#readable(slot, needed, grants) } : null;
    const events = {
      onCondemned: (connection: HostConnection, generation: number, reason: string) =>
        this.#condemn(host, generation, reason, connection),
      onEmpty: () => this.#onEmpty(slot, host),
      onGone: (connection: HostConnection, gone: HostGone) => this.#onGone(slot, connection, gone),
    };
    const host: StartedHost =
      mode === "inline"
        ? startInlineHost({ threadEntries, events })
        : await startProcessHost({ entryUrl: hostEntryUrl, placement, confined, logger, events });
    // What an earlier one's adapter has spawned may hold what the next one needs. A process that the kernel cannot end holds up nobody.
    const retired = [...slot.hosts].filter(({ isExpectedToEnd }) => isExpectedToEnd).map(({ gone }) => gone);
    await withDeadline(Promise.all(retired), retiredDeadlineMs, "The end of a host").catch(() => {});
    // It may have ended the moment it was up.
    if (host.connection.isGone) return;
    slot.hosts.add(host);
    for (const old of supersededHosts(slot.hosts)) void retire(old);
    if (mode === "process") pids.add(host.identity);
    logger.info("host-started", { hostPid: host.identity.pid, kind: host.connection.kind });
  }

  /** Before its generations are told: they ask for another host at once, and that one may have to wait. */
  #onGone(slot: HostSlot, connection: HostConnection, { cause, detail }: HostGone): void {
    const host = [...slot.hosts].find((candidate) => candidate.connection === connection);
    // Nothing lived in a host that never came up.
    if (host === undefined) return;
    slot.hosts.delete(host);
    if (this.#options.mode === "process") this.#options.pids.delete(host.identity.pid);
    if (host.isExpectedToEnd) return;
    slot.restarts += 1;
    slot.delay.died(performance.now());
    this.#options.logger.error("host-died", { hostPid: host.identity.pid, cause, detail });
  }

  /** A host of its own, or of a group, ends with its last generation, a condemned one when the others have left. */
  #onEmpty(slot: HostSlot, host: StartedHost): void {
    if (this.#options.mode === "inline") return;
    if (!slot.isCommon || host.connection.isCondemned || supersededHosts(slot.hosts).includes(host)) void retire(host);
  }

  /** Whoever it was started for did not wait until it was there. */
  #retireUnused(slot: HostSlot): void {
    if (slot.waiting > 0 || slot.starting !== null) return;
    for (const host of slot.hosts) if (host.connection.generations.length === 0) this.#onEmpty(slot, host);
  }

  #condemn(host: StartedHost, generation: number, reason: string, connection: HostConnection): void {
    if (connection.isCondemned || this.#options.mode === "inline") return;
    connection.isCondemned = true;
    this.#options.logger.error("host-condemned", { hostPid: connection.pid, generation, reason });
    host.killCause = "killed";
    clearOut(host, generation);
  }

  #watchHosts(): void {
    const findings = this.#watch.check(
      this.#hosts().map(([host]) => host),
      performance.now(),
    );
    for (const { host, finding } of findings) {
      const { connection } = host;
      if (finding === "silent") {
        this.#options.logger.error("host-silent", { hostPid: connection.pid });
        host.killCause = "silent";
        host.kill();
      } else {
        this.#condemn(host, 0, `its memory of ${connection.rssBytes} bytes is over the limit`, connection);
      }
    }
    // For the next look: this one must not wait for the disk's sake.
    for (const [{ connection }] of this.#hosts()) void connection.measure();
  }
}

/** Nobody needs it any more. Resolves when it is gone. */
function retire(host: StartedHost): StartedHost["gone"] {
  host.isExpectedToEnd = true;
  void host.end();
  return host.gone;
}
