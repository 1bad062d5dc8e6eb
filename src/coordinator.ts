/** The composition root: builds the stages in the order of a message's way, joins them, and ends them in reverse. */
import { publishAdminAddress } from "./admin/address-file.ts";
import { EventRing } from "./admin/event-ring.ts";
import { createMetrics } from "./admin/metrics.ts";
import { startAdminServer } from "./admin/server.ts";
import { Consumers } from "./consume/consumers.ts";
import type { Config } from "./contract/config.ts";
import type { GatewayControl } from "./contract/control.ts";
import type { Hosts } from "./contract/host.ts";
import { InvalidConfigError } from "./contract/invalid-config-error.ts";
import { createFlow, type Flow } from "./flow/flow.ts";
import { createAdapterHosts, type AdapterSpecs } from "./gateway/adapter-hosts.ts";
import { AdapterDirectory } from "./gateway/adapter-directory.ts";
import { AdapterTraffic } from "./gateway/adapter-traffic.ts";
import { CommandDirectory } from "./gateway/command-directory.ts";
import { ConditionBoard } from "./gateway/condition-board.ts";
import { createConfigLoader, watchConfig } from "./gateway/config-loader.ts";
import { configSecrets } from "./gateway/config-secrets.ts";
import { createConsumerServices } from "./gateway/consumer-services.ts";
import { EventFeed } from "./gateway/event-feed.ts";
import { layFoundation } from "./gateway/foundation.ts";
import { createControl } from "./gateway/gateway-control.ts";
import { createGatewayFleet } from "./gateway/gateway-fleet.ts";
import type { GatewayOptions } from "./gateway/gateway-options.ts";
import { assembleStatus, CoordinatorMeter } from "./gateway/gateway-status.ts";
import { Inspections } from "./gateway/inspections.ts";
import { showJournalTrouble, showReplayWindow } from "./gateway/journal-trouble.ts";
import { MissedMessages } from "./gateway/missed-messages.ts";
import { ResumeStates } from "./gateway/resume-states.ts";
import { startSupervision } from "./gateway/supervision.ts";
import { configuredKeys, createTokenVault } from "./gateway/token-keeping.ts";
import { version } from "./gateway/version.ts";
import { startRetention } from "./journal/retention.ts";
import { AttachmentFiles } from "./outbound/attachment-files.ts";
import { Mailboxes } from "./outbound/mailbox.ts";
import { Outbox } from "./outbound/outbox.ts";
import { parseTarget } from "./outbound/targets.ts";
import { buildDesiredState } from "./reconcile/desired.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { createLogger, type Logger } from "./support/logger.ts";
import { Redactor } from "./support/redact.ts";
import type { AdapterFleet } from "./supervise/fleet.ts";

/** Every part of a running gateway that something outside needs. */
export type Stages = {
  readonly config: Config;
  readonly control: GatewayControl;
  readonly adminAddress: string;
  readonly logger: Logger;
  readonly reconciler: Reconciler;
  readonly adapters: AdapterFleet;
  readonly hosts: Pick<Hosts, "killAfter">;
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

  const foundation = await layFoundation(config, { stack, journalEntryUrl: catalog.entries.journal, logger });
  const { journal } = foundation;
  redactor.set("gateway", [foundation.adminToken]);
  const conditions = new ConditionBoard();
  const feed = new EventFeed(new EventRing(), { redact: (text) => redactor.redact(text) });
  stack.use(conditions.watch((list) => feed.conditions(list)));
  logger.onLine((line) => feed.logLine(line));
  showJournalTrouble(journal, conditions);
  const retention = stack.use(
    startRetention({
      journal,
      settings: config.journal,
      logger,
      onReplayWindowShort: (isShort) => showReplayWindow(isShort, conditions),
    }),
  );

  const nextGeneration = (): number => supervision.generations.next();
  const specs = (): AdapterSpecs => supervision.adapters.observed();
  const from = { config, inForce: () => inForce, source, entries: catalog.entries, pids: foundation.hostPids };
  const hosts = stack.use(createAdapterHosts({ ...from, specs, nextGeneration, logger }));
  const mailboxes = stack.use(new Mailboxes({ journal, logger }));
  const directory = new AdapterDirectory();
  const outbox = stack.use(new Outbox({ journal, adapters: directory, mailboxes, logger }));
  const attachments = stack.use(await AttachmentFiles.open(config.gateway.stateDir, { adapters: directory, logger }));
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

  const missed = stack.use(new MissedMessages({ logger, onMessages: (key, count) => flow.noteLost(key, count) }));
  const commands = await CommandDirectory.start({
    router: desired.router,
    consumers: new Set(desired.consumers.keys()),
    store: foundation.store,
    onChange: () => adapters.commandsChanged(),
  });
  const resumeStates = await ResumeStates.load(journal);
  const tokens = stack.use(createTokenVault({ config, foundation, redactor, supervision: () => supervision, logger }));
  const supervision = await startSupervision({
    foundation,
    hosts,
    logger,
    redact: (text) => redactor.redact(text),
    onFrame: (key, generation, frame) => traffic.onFrame({ key, generation }, frame),
    onChange(key, entry) {
      feed.state(key, entry);
      directory.onChange(key, entry);
      tokens.generationsChanged();
    },
    onObserved: (key, observedGeneration, latest) => feed.observed(key, observedGeneration, latest),
    onMissed: (key, report) => missed.add(key, report),
    commands: (key) => commands.of(key),
  });
  const { adapters } = supervision;
  const traffic = new AdapterTraffic({
    flow,
    adapters,
    mailboxes,
    resumeStates,
    acquireBudget: (key, kind) => supervision.acquireBudget(key, kind),
    tokens,
    logger,
  });
  directory.attach({ adapters, outbox, mailboxes });

  const consumers = stack.use(
    new Consumers({
      dispatcher: flow.dispatcher,
      hosts,
      nextGeneration,
      counts: (name) => flow.counts().consumers[name],
      services: createConsumerServices({
        outbox,
        attachments,
        adapters: directory,
        logger,
        keys: () => new Set(adapters.observed().keys()),
      }),
      onCommands: (name, declared) => commands.set(name, declared),
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
      applyRouter(router, names) {
        flow.applyRouter(router, names);
        commands.applyRouter(router);
      },
      onSpec: (key, secrets) => redactor.set(key, secrets),
      redact: (text) => redactor.redact(text),
      logger,
    }),
    logger,
    onConfig(accepted) {
      inForce = accepted;
      for (const [owner, secrets] of configSecrets(accepted)) redactor.set(owner, secrets);
      tokens.configure(configuredKeys(accepted));
      logger.setLevel(accepted.gateway.logLevel);
      retention.update(accepted.journal);
    },
    onConditions: () => feed.conditions(conditions.list()),
  });
  stack.use(reconciler);
  adapters.forgetPausesOfRemoved();
  conditions.addSource(() => reconciler.conditions);
  conditions.addSource(() => adapters.statuses().flatMap((status) => status.conditions));

  const meter = stack.use(new CoordinatorMeter(() => journal.query("counts", {})));
  const inJournal = { durability: config.journal.durability, maxBytes: () => inForce.journal.maxBytes };
  const parts = { version, reconciler, conditions, hosts, adapters, flow, outbox, missed, consumers };
  const control = createControl({
    status: () => assembleStatus({ ...parts, journal: inJournal }, meter),
    conditions: () => conditions.list(),
    isReady: () => journal.trouble === null,
    reconciler,
    adapters,
    inspections: await Inspections.open(config.gateway.stateDir, adapters),
    store: foundation.store,
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
  stack.use(await publishAdminAddress(config.gateway.stateDir, admin.address));
  if (source.kind === "file") stack.use(await watchConfig(source.path, { reconciler, logger }));
  const adminAddress = admin.address;
  return { config, control, logger, adminAddress, reconciler, adapters, hosts, consumers, flow, outbox };
}
