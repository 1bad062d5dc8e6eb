/** Brings up one host: a process of its own, or the coordinator's own process behind the same protocol. */
import { MessageChannel } from "node:worker_threads";
import { GatewayError } from "../contract/errors.ts";
import type { HostGone, Placement } from "../contract/host.ts";
import { protocolVersion } from "../contract/protocol.ts";
import type { Logger } from "../support/logger.ts";
import { withDeadline } from "../support/time.ts";
import { HostConnection, type HostConnectionOptions } from "./host-connection.ts";
import type { HostGrants, ReadGrants } from "./host-grants.ts";
import type { HostIdentity } from "./host-pids.ts";
import { spawnHost } from "./host-process.ts";
import { describeBreak, portLink, socketLink } from "./link.ts";
import { Relay, type ThreadEntries } from "./relay.ts";
import { processStartTime } from "./process-start-time.ts";

const helloDeadlineMs = 15_000;
/** What a dead process had written is in our socket's buffer; it is read in far less than this. */
const lastFramesDeadlineMs = 1000;

/** A host that is up. */
export type StartedHost = {
  readonly connection: HostConnection;
  readonly identity: HostIdentity;
  /** At once: its wall is needed. */
  kill(): void;
  /** In order: nobody lives in it any more, or the gateway stops. What was spawned in it is asked first. Asked twice, it ends once. */
  end(): Promise<void>;
  /** Resolves after its generations were told. */
  readonly gone: Promise<HostGone>;
  /** What its adapters may read beside the program; `null`: whatever the coordinator may. */
  readonly readable: ReadGrants | null;
  killCause: HostGone["cause"] | null;
  /** We ended it because nobody needs it any more: no failure. */
  isExpectedToEnd: boolean;
};

type HostEvents = Pick<HostConnectionOptions, "onCondemned" | "onEmpty" | "onGone">;

/** A host process. @throws {GatewayError} `adapter_unavailable` when it does not come up in 15 s. */
export async function startProcessHost(options: {
  readonly entryUrl: string;
  readonly placement: Placement;
  /** What its adapters may read, where Node's permission model holds it; `null`: whatever the coordinator may. */
  readonly confined: { readonly grants: HostGrants; readonly readable: ReadGrants } | null;
  readonly logger: Logger;
  readonly events: HostEvents;
}): Promise<StartedHost> {
  const { confined } = options;
  const confinement = confined === null ? null : await confined.grants.processOptions(confined.readable);
  const process = await spawnHost({ ...options, confinement });
  const kind = options.placement === "shared" ? "shared" : "own";
  const connection = new HostConnection({ kind, pid: process.pid, kill: process.kill, ...options.events });
  const closed = Promise.withResolvers<void>();
  let brokenBy: Error | null = null;
  connection.link = socketLink(process.socket, {
    onFrame: (bytes) => connection.onFrame(bytes),
    onClosed: (reason) => {
      brokenBy = reason;
      // Without its socket a host ends itself; this makes it certain.
      process.kill();
      closed.resolve();
    },
  });
  const gone = process.exited.then(async (detail): Promise<HostGone> => {
    await withDeadline(closed.promise, lastFramesDeadlineMs, "The host's socket").catch(() => {});
    const whole = brokenBy === null ? detail : `${detail}; its link broke: ${describeBreak(brokenBy)}`;
    const end: HostGone = { cause: host.killCause ?? "died", detail: whole, keys: connection.keys };
    connection.onGone(end);
    return end;
  });
  const host: StartedHost = {
    connection,
    identity: { pid: process.pid, startTime: processStartTime(process.pid) },
    kill: process.kill,
    end: process.end,
    gone,
    readable: confined?.readable ?? null,
    killCause: null,
    isExpectedToEnd: false,
  };
  try {
    const hello = await withDeadline(connection.hello.promise, helloDeadlineMs, "The start of a host");
    if (hello.protocolVersion !== protocolVersion)
      throw new GatewayError(
        "adapter_unavailable",
        `Cannot use a host of protocol ${hello.protocolVersion}: ours is ${protocolVersion}`,
      );
    if (hello.heapLimitOverridden && options.placement !== "consumer")
      throw new GatewayError(
        "adapter_unavailable",
        "Cannot use a host with --max-old-space-size: it overrides the memory limit of every adapter",
        { userAction: "Remove --max-old-space-size from NODE_OPTIONS and pm2's node_args" },
      );
    return host;
  } catch (reason) {
    host.isExpectedToEnd = true;
    process.kill();
    throw new GatewayError("adapter_unavailable", `Cannot start a host: ${GatewayError.from(reason).message}`, {
      cause: reason,
    });
  }
}

/** The coordinator's own process as a host. It cannot be killed for a thread's sake. */
export function startInlineHost(options: {
  readonly threadEntries: ThreadEntries;
  readonly events: HostEvents;
}): StartedHost {
  const channel = new MessageChannel();
  const gone = Promise.withResolvers<HostGone>();
  const end: HostGone = { cause: "killed", detail: "the gateway is shutting down", keys: [] };
  const connection = new HostConnection({ kind: "inline", pid: process.pid, kill: () => kill(), ...options.events });
  connection.link = portLink(channel.port1, { onFrame: (bytes) => connection.onFrame(bytes), onClosed: () => {} });
  const relay: Relay = new Relay(
    options.threadEntries,
    portLink(channel.port2, { onFrame: (bytes) => relay.onFrame(bytes), onClosed: () => {} }),
  );
  function kill(): void {
    relay[Symbol.dispose]();
    channel.port1.close();
    connection.onGone(end);
    gone.resolve(end);
  }
  return {
    connection,
    identity: { pid: process.pid, startTime: null },
    kill,
    end: async () => kill(),
    gone: gone.promise,
    readable: null,
    killCause: null,
    isExpectedToEnd: false,
  };
}
