/** The way of a message from an accepted frame to its ack: fan-in, lanes, dispatcher and dead letters put together. */
import type { Dispatcher, ReplyWriter, RouterStamp } from "../contract/delivery.ts";
import type { Journal } from "../contract/journal.ts";
import type { RoutingHeader } from "../contract/message.ts";
import type { RouterSpec } from "../contract/spec.ts";
import type { Condition } from "../contract/status.ts";
import type { Logger } from "../support/logger.ts";
import { withDeadline } from "../support/time.ts";
import { Admission } from "./admission.ts";
import { DeadLetters } from "./dead-letters.ts";
import { FlowDispatcher } from "./dispatcher.ts";
import { FanIn, type AcceptedMessage, type InboundFrame } from "./fan-in.ts";
import type { LaneLimits } from "./lane-limits.ts";
import { Latencies, type LatencySamples } from "./latencies.ts";
import { Ledger, type KeyCounts } from "./ledger.ts";
import { OutcomeWriter } from "./outcome-writer.ts";
import { recover, Rerouter } from "./recovery.ts";
import { narrowRouter, route, routeSource, stampOf, type Route, type RouteSource } from "./router.ts";

/** What {@link createFlow} is given. */
export type FlowOptions = {
  readonly journal: Journal;
  readonly replies: ReplyWriter;
  readonly router: RouterSpec;
  /** The configured consumers' names. */
  readonly consumers: readonly string[];
  /** Unacked payload bytes the journal may hold; asked at each frame, since it may be changed live. */
  readonly maxBytes: () => number;
  readonly logger: Logger;
  /** 0 to 1, below 1. */
  readonly random: () => number;
  /** Milliseconds since 1970; fractions make the latencies finer. */
  readonly now: () => number;
  /** How much of what waits is in memory. @default laneLimits */
  readonly limits?: LaneLimits;
};

/** Counts since the start; `consumers` names also what is no longer configured while messages wait for it. */
export type FlowCounts = {
  readonly keys: Readonly<Record<string, KeyCounts>>;
  readonly consumers: Readonly<
    Record<string, { readonly inFlight: number; readonly pending: number; readonly dead: number }>
  >;
};

/** The flow stage as the coordinator sees it. */
export interface Flow extends AsyncDisposable {
  readonly dispatcher: Dispatcher;
  readonly deadLetters: DeadLetters;
  /** One data frame of an adapter, its meta checked by `parseDataMeta`. Settled exactly once. */
  receive(frame: InboundFrame): void;
  /** Swaps bindings and consumers; what waits for a consumer that is gone is routed again. */
  applyRouter(router: RouterSpec, consumers: readonly string[]): void;
  /** Where a message would go now; for a header's binding, its settings and its authority. */
  route(header: RoutingHeader, key: string): Route;
  /** An adapter says that so many messages can no longer be had. */
  noteLost(key: string, messages: number): void;
  onAccepted(listener: (message: AcceptedMessage) => void): void;
  counts(): FlowCounts;
  /** The samples since the last call, in milliseconds. */
  drainLatencies(): LatencySamples;
  /** `journal_full` and `dead_letters`, while they hold. */
  conditions(): readonly Condition[];
  /** From now on frames are settled with `adapter_unavailable`. */
  stopIntake(): void;
  /**
   * Hands out nothing more, and waits at most `deadlineMs` until what is with consumers is settled and on disk. Resolves
   * with how many messages are still out: they come again after the next start, their attempts not counted.
   */
  drain(deadlineMs: number): Promise<number>;
}

/**
 * The flow over an open journal, with what was pending already in its lanes.
 * @throws {GatewayError} `journal_unavailable`.
 */
export async function createFlow(options: FlowOptions): Promise<Flow> {
  const { journal, logger, now } = options;
  const ledger = new Ledger();
  const latencies = new Latencies();
  const writer = new OutcomeWriter(journal, logger);
  const routing = new Routing(options.router, options.consumers);
  const findRoute = (header: RoutingHeader, key: string): Route => routing.route(header, key);
  const isConfigured = (consumer: string): boolean => routing.consumers.has(consumer);
  const rerouter = new Rerouter({ journal, writer, ledger, route: findRoute, isConfigured, now });
  const dispatcher = new FlowDispatcher({
    ...options,
    writer,
    ledger,
    latencies,
    stamp: (header, key) => routing.stamp(header, key),
    reroute: (list, lanes) => rerouter.reroute(list, lanes),
  });
  const lanes = dispatcher.lanes;
  const admission = new Admission({ ledger, maxBytes: options.maxBytes, journalTrouble: () => journal.trouble, now });
  const fanIn = new FanIn({ journal, target: dispatcher, admission, ledger, latencies, logger, now, route: findRoute });
  const deadLetters = new DeadLetters({ journal, lanes, ledger, pump: () => dispatcher.pump(), now });

  ledger.restore(await journal.query("counts", {}));
  const recovered = await recover(journal, lanes, ledger);
  if (recovered > 0) logger.info("messages-recovered", { messages: recovered });
  dispatcher.configure(routing.consumers);

  return {
    dispatcher,
    deadLetters,
    receive: (frame) => fanIn.receive(frame),
    applyRouter(router, consumers) {
      routing.apply(router, consumers);
      dispatcher.configure(routing.consumers);
    },
    route: findRoute,
    noteLost: (key, messages) => ledger.count(key, "lost", messages),
    onAccepted: (listener) => fanIn.onAccepted(listener),
    counts() {
      const { keys, consumers } = ledger.snapshot();
      const names = new Set([...routing.consumers, ...Object.keys(consumers)]);
      const entries = [...names].map((name) => {
        const { pending = 0, dead = 0 } = consumers[name] ?? {};
        return [name, { inFlight: dispatcher.inFlight(name), pending, dead }] as const;
      });
      return { keys, consumers: Object.fromEntries(entries) };
    },
    drainLatencies: () => latencies.drain(),
    conditions: () => [...admission.conditions(), ...deadLetters.conditions()],
    stopIntake: () => fanIn.stop(),
    async drain(deadlineMs) {
      dispatcher.pause();
      const settled = fanIn
        .idle()
        .then(() => dispatcher.idle())
        .then(() => writer.idle());
      await withDeadline(settled, deadlineMs, "handling of messages").catch(() => {
        // The deadline is the end of waiting, not of the messages: they are counted below.
      });
      return dispatcher.inFlight(null);
    },
    async [Symbol.asyncDispose]() {
      fanIn.stop();
      dispatcher[Symbol.dispose]();
      await writer[Symbol.asyncDispose]();
    },
  };
}

/** One adapter's part of the router. */
type OwnRouter = { readonly source: RouteSource; readonly router: RouterSpec };

/** The present router, narrowed once for each adapter: most have few of all the bindings. */
class Routing {
  consumers: ReadonlySet<string> = new Set();
  #router: RouterSpec;
  readonly #byKey = new Map<string, OwnRouter>();

  constructor(router: RouterSpec, consumers: readonly string[]) {
    this.#router = router;
    this.consumers = new Set(consumers);
  }

  apply(router: RouterSpec, consumers: readonly string[]): void {
    this.#router = router;
    this.consumers = new Set(consumers);
    this.#byKey.clear();
  }

  route(header: RoutingHeader, key: string): Route {
    const { source, router } = this.#own(key);
    return route(header, source, router, this.consumers);
  }

  stamp(header: RoutingHeader, key: string): RouterStamp {
    const { source, router } = this.#own(key);
    return stampOf(header, source, router);
  }

  #own(key: string): OwnRouter {
    let own = this.#byKey.get(key);
    if (own === undefined) {
      const source = routeSource(key);
      own = { source, router: narrowRouter(this.#router, source) };
      this.#byKey.set(key, own);
    }
    return own;
  }
}
