/** The composition root: builds the stages in the order of a message's way, joins them, and ends them in reverse. */
import { EventRing } from "./admin/event-ring.ts";
import { createMetrics } from "./admin/metrics.ts";
import { startAdminServer } from "./admin/server.ts";
import type { ConfigSource } from "./config/load.ts";
import { Consumers } from "./consume/consumers.ts";
import type { Config } from "./contract/config.ts";
import type { GatewayControl } from "./contract/control.ts";
import { InvalidConfigError } from "./contract/invalid-config-error.ts";
import { createFlow, type Flow } from "./flow/flow.ts";
import { AdapterDirectory } from "./gateway/adapter-directory.ts";
import { AdapterTraffic } from "./gateway/adapter-traffic.ts";
import { ConditionBoard } from "./gateway/condition-board.ts";
import { createConfigLoader, watchConfig } from "./gateway/config-loader.ts";
import { createConsumerServices } from "./gateway/consumer-services.ts";
import { EventFeed } from "./gateway/event-feed.ts";
import { layFoundation } from "./gateway/foundation.ts";
import { createControl } from "./gateway/gateway-control.ts";
import { createGatewayFleet } from "./gateway/gateway-fleet.ts";
import { assembleStatus, CoordinatorMeter } from "./gateway/gateway-status.ts";
import { ResumeStates } from "./gateway/resume-states.ts";
import { startSupervision } from "./gateway/supervision.ts";
import { version } from "./gateway/version.ts";
import { HostPool } from "./host/hosts.ts";
import { startRetention } from "./journal/retention.ts";
import { Mailboxes } from "./outbound/mailbox.ts";
import { Outbox } from "./outbound/outbox.ts";
import { parseTarget } from "./outbound/targets.ts";
import { buildDesiredState } from "./reconcile/desired.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { createLogger, type Logger } from "./support/logger.ts";
import { Redactor } from "./support/redact.ts";
import type { AdapterFleet } from "./supervise/fleet.ts";

/** Where the entries of processes and threads are, and the built-in platforms' modules: file URLs. */
export type Catalog = {
  readonly entries: Readonly<Record<"host" | "adapter" | "consumer" | "journal", string>>;
  readonly adapterModules: Readonly<Record<string, string>>;
};

/** What {@link buildStages} needs. */
export type GatewayOptions = {
  readonly source: ConfigSource;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly catalog: Catalog;
  /** Consumers of kind `stream` are then read through `Consumers.library`. */
  readonly isLibrary?: boolean;
  /** Default: standard output. */
  readonly logDestination?: { write(line: string): void };
};

/** Every part of a running gateway that something outside needs. */
export type Stages = {
  readonly config: Config;
  readonly control: GatewayControl;
  readonly adminAddress: string;
  readonly logger: Logger;
  readonly reconciler: Reconciler;
  readonly adapters: AdapterFleet;
  readonly consumers: Consumers;
  readonly flow: Flow;
  readonly outbox: Outbox;
};

/**
 * Opens everything, in the order of a message's way; what is opened is put on `stack`. Resolves after the first
 * reconcile: every adapter has been told to start, none has been waited for.
 * @throws {InvalidConfigError} with every error; {GatewayError} `conflict` for a held state directory or port.
 */
export async function buildStages(options: GatewayOptions, stack: AsyncDisposableStack): Promise<Stages> {
  const { source, environment, catalog } = options;
  const load = createConfigLoader({ source, environment, isLibrary: options.isLibrary ?? false });
  const redactor = new Redactor();
  const loaded = await load();
  if (!loaded.ok) throw new InvalidConfigError(loaded.errors);
  const { config } = loaded;
  let inForce = config;
  const logger = createLogger({
    level: config.gateway.logLevel,
    redactor,
    ...(options.logDestination === undefined ? {} : { destination: options.logDestination }),
  });
  for (const warning of config.warnings) logger.warn("config-warning", warning);

  const foundation = await layFoundation(config, { stack, journalEntryUrl: catalog.entries.journal, logger });
  const { journal } = foundation;
  redactor.set("gateway", [foundation.adminToken]);
  const conditions = new ConditionBoard();
  const feed = new EventFeed(new EventRing());
  stack.use(conditions.watch((list) => feed.conditions(list)));
  logger.onLine((line) => feed.logLine(line));
  const noteSetAside = (): void => {
    const { setAsidePath } = journal.opened;
    if (setAsidePath !== null)
      conditions.set("journal_corrupt", `The journal could not be read and was set aside as ${setAsidePath}`);
  };
  noteSetAside();
  journal.onTrouble((trouble) => {
    conditions.set("journal_unavailable", trouble);
    // A file may also be found damaged while it is in use.
    noteSetAside();
  });
  const retention = stack.use(
    startRetention({
      journal,
      settings: config.journal,
      logger,
      onReplayWindowShort: (isShort) =>
        conditions.set(
          "replay_window_short",
          isShort ? "Handled messages are pruned early, to stay below max_bytes" : null,
        ),
    }),
  );

  const hosts = stack.use(
    new HostPool({
      ...config.hosts,
      hostEntryUrl: catalog.entries.host,
      threadEntries: catalog.entries,
      pids: foundation.hostPids,
      logger,
    }),
  );
  const mailboxes = stack.use(new Mailboxes({ journal, logger }));
  const directory = new AdapterDirectory();
  const outbox = stack.use(new Outbox({ journal, adapters: directory, mailboxes, logger }));
  const desired = buildDesiredState(config, {
    fingerprintKey: foundation.installKey,
    adapterModules: catalog.adapterModules,
  });
  const flow = stack.use(
    await createFlow({
      journal,
      replies: outbox,
      router: desired.router,
      consumers: [...desired.consumers.keys()],
      maxBytes: () => inForce.journal.maxBytes,
      logger,
      random: Math.random,
      now: () => performance.timeOrigin + performance.now(),
    }),
  );
  flow.onAccepted((message) => feed.message(message));
  conditions.addSource(() => flow.conditions());

  const resumeStates = await ResumeStates.load(journal);
  const supervision = await startSupervision({
    foundation,
    hosts,
    logger,
    redact: (text) => redactor.redact(text),
    onFrame: (key, generation, frame) => traffic.onFrame({ key, generation }, frame),
    onChange(key, entry) {
      feed.state(key, entry);
      directory.onChange(key, entry);
    },
  });
  const { adapters } = supervision;
  const traffic = new AdapterTraffic({
    flow,
    adapters,
    mailboxes,
    resumeStates,
    acquireBudget: (key, kind) => supervision.acquireBudget(key, kind),
    logger,
  });
  directory.attach({ adapters, outbox, mailboxes });

  const consumers = stack.use(
    new Consumers({
      dispatcher: flow.dispatcher,
      hosts,
      nextGeneration: () => supervision.generations.next(),
      counts: (name) => flow.counts().consumers[name],
      services: createConsumerServices({
        outbox,
        adapters: directory,
        logger,
        keys: () => new Set(adapters.observed().keys()),
      }),
      logger,
    }),
  );
  const reconciler = await Reconciler.start({
    initial: config,
    load,
    fingerprintKey: foundation.installKey,
    adapterModules: catalog.adapterModules,
    fleet: createGatewayFleet({
      adapters,
      consumers,
      applyRouter: (router, names) => flow.applyRouter(router, names),
      onSpec: (key, secrets) => redactor.set(key, secrets),
      logger,
    }),
    logger,
    onConfig(accepted) {
      inForce = accepted;
      logger.setLevel(accepted.gateway.logLevel);
      retention.update(accepted.journal);
    },
    onConditions: () => feed.conditions(conditions.list()),
  });
  stack.use(reconciler);
  conditions.addSource(() => reconciler.conditions);
  conditions.addSource(() => adapters.statuses().flatMap((status) => status.conditions));

  const meter = stack.use(new CoordinatorMeter(() => journal.query("counts", {})));
  const control = createControl({
    status: () =>
      assembleStatus(
        {
          version,
          configGeneration: () => reconciler.configGeneration,
          conditions: () => conditions.list(),
          hosts: () => hosts.status(),
          adapters: () => adapters.statuses(),
          counts: () => flow.counts().keys,
          sent: (key) => outbox.sentCount(key),
          consumers: () => consumers.statuses(),
          journal: { durability: config.journal.durability, maxBytes: () => inForce.journal.maxBytes },
        },
        meter,
      ),
    conditions: () => conditions.list(),
    isReady: () => journal.trouble === null,
    reconciler,
    adapters,
    parseTarget,
    outbox,
    journal,
    deadLetters: flow.deadLetters,
    events: (request) => feed.read(request),
    drainLatencies: () => flow.drainLatencies(),
  });
  const admin = stack.use(
    await startAdminServer({
      listen: config.admin.listen,
      token: foundation.adminToken,
      control,
      logger,
      metrics: createMetrics(control),
    }),
  );
  if (source.kind === "file") stack.use(await watchConfig(source.path, { reconciler, logger }));
  return { config, control, logger, adminAddress: admin.address, reconciler, adapters, consumers, flow, outbox };
}
