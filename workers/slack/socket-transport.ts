/** Hearing Slack by Socket Mode: one connection, each envelope acknowledged once it is on disk. */
import { GatewayError } from "../../src/contract/errors.ts";
import { ConnectionLoop } from "../../src/support/connection-loop.ts";
import { after } from "../../src/support/time.ts";
import { SocketConnection, type Envelope } from "./socket-connection.ts";
import type { Transport, TransportOptions } from "./transport.ts";

/** More than these at once are left unacknowledged: Slack sends them again. */
const mostPending = 2_000;
/** What is half done when Slack asks for a new connection gets this long. */
const drainMs = 1_000;

/** Connects. @throws {GatewayError} what the first try failed with. */
export async function startSocket({ context, http, logger, session }: TransportOptions): Promise<Transport> {
  const { settings } = context;
  const pending = new Pending();
  const onEnvelope = async ({ body, acknowledge }: Envelope): Promise<void> => {
    if (pending.size >= mostPending) return session.intake.decline(body);
    using _entry = pending.enter();
    try {
      await acknowledge(await session.intake.receive(body));
    } catch (reason) {
      // Not acknowledged, so Slack sends it again.
      context.log.warn("slack-event-not-accepted", { error: GatewayError.from(reason).message });
    }
  };
  const loop = await ConnectionLoop.start<SocketConnection>({
    signal: context.signal,
    fatal: ({ reason }) => (reason === "link_disabled" ? linkDisabled() : null),
    open: (signal) =>
      SocketConnection.open(
        {
          appToken: settings.appToken,
          apiUrl: settings.apiUrl,
          http,
          logger,
          onEnvelope: (envelope) => void onEnvelope(envelope),
          onFrame: () => context.frame(),
          onMalformed: () => session.intake.ignored.note("malformed frame"),
          drained: () => pending.drained(drainMs),
        },
        signal,
      ),
    onLost({ reason }) {
      session.lost();
      context.log.info("slack-reconnecting", { reason });
      context.reconnecting(reason);
    },
    onConnected(gapMs, { isPlanned }) {
      context.connected();
      // After a change that it asked for, Slack itself repeats what it could not deliver in between.
      session.regained(gapMs / 1000, isPlanned && gapMs < shortGapMs);
    },
  });
  return {
    closed: loop.closed,
    async probe() {
      if (!loop.connection.isLive)
        throw new GatewayError("platform_unavailable", "Cannot hear Slack: there is no connection now");
    },
    [Symbol.asyncDispose]: () => loop.stop(),
  };
}

const shortGapMs = 5_000;

function linkDisabled(): GatewayError {
  return new GatewayError("forbidden", "Cannot stay connected: Socket Mode was disabled", {
    userAction: "Enable Socket Mode in the Slack app's settings",
  });
}

/** What is on its way to the disk. */
class Pending {
  #size = 0;
  #onEmpty: (() => void) | null = null;

  get size(): number {
    return this.#size;
  }

  enter(): Disposable {
    this.#size += 1;
    return {
      [Symbol.dispose]: () => {
        this.#size -= 1;
        if (this.#size === 0) this.#onEmpty?.();
      },
    };
  }

  /** Resolves when nothing is, or after `deadlineMs`. */
  async drained(deadlineMs: number): Promise<void> {
    if (this.#size === 0) return;
    const empty = Promise.withResolvers<void>();
    this.#onEmpty = empty.resolve;
    using _deadline = after(deadlineMs, empty.resolve);
    await empty.promise;
  }
}
