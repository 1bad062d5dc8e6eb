/** From a config file to a checked {@link Config}: everything that is wrong is said at once. */
import path from "node:path";
import { z } from "zod";
import type { Config, LoadResult } from "../contract/config.ts";
import type { ConfigIssue } from "../contract/spec.ts";
import { readBindings, splitBindings, unknownConsumerIssues, unknownConsumerMessage } from "./bindings.ts";
import { camelKeys } from "./camel-keys.ts";
import { readSource, type ConfigSource } from "./config-source.ts";
import { notifySchema } from "./consumer-schema.ts";
import { impliedConsumers, listsConsumers, readConsumers } from "./consumers.ts";
import { describeKind, joinPath, type Issue } from "./issue.ts";
import type { LineLookup } from "./line-index.ts";
import { parseListenAddress } from "./listen-address.ts";
import { urlProblem } from "./loopback.ts";
import { ignoredPlatforms, readMessaging } from "./messaging.ts";
import { isTable, type Table } from "./plain-value.ts";
import { readFields } from "./read-fields.ts";
import { ReferenceResolver } from "./references.ts";
import { supervisorIssues } from "./supervisor-schema.ts";
import { ignoredTables, topLevelShape, type TopLevel } from "./top-level.ts";

export type { ConfigSource } from "./config-source.ts";

/** What a load works on. */
export type LoadOptions = {
  readonly source: ConfigSource;
  /** For `env:NAME` and the implicit variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
};

const elsewhere = ["consumers", "bindings", "notify", "messaging"] as const;
const notifyList = z.array(notifySchema).default([]);

/**
 * Reads, resolves and checks a config. Errors inside one `messaging` table are that key's (`config.invalid`); any other one
 * makes the result `ok: false`, which then lists both. Rejects with nothing but the signal's reason.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  const source = await readSource(options.source, signal);
  if (!source.ok) return source;
  const { value, baseDir, lineOf } = source;
  if (!isTable(value)) {
    const message = `found ${describeKind(value)}, expected a table`;
    return { ok: false, errors: [{ path: "", message, line: null }] };
  }

  const ignored = Object.keys(value).filter((key) => ignoredTables.has(key));
  const ours = Object.fromEntries(Object.entries(value).filter(([key]) => !ignoredTables.has(key)));
  const top = readTopLevel(ours);
  const secretsDir = top.tables.secrets.dir === "" ? null : path.resolve(baseDir, top.tables.secrets.dir);
  const resolver = new ReferenceResolver({
    environment: options.environment,
    baseDir,
    secretsDir,
    ...(signal === undefined ? {} : { signal }),
  });
  const supervisor = camelKeys(top.tables.supervisor);
  const context = {
    resolver,
    environment: options.environment,
    supervisor,
    baseDir,
    adminListen: parseListenAddress(top.tables.admin.listen, baseDir),
    ...(signal === undefined ? {} : { signal }),
  };
  const messaging = await readMessaging(ours["messaging"], context);
  const placed = readBindings(ours["bindings"]);
  const isListed = listsConsumers(ours["consumers"]);
  const listed = isListed
    ? await readConsumers(ours["consumers"], context)
    : { consumers: impliedConsumers(placed.bindings.map(({ binding }) => binding.consumer)), issues: [] };
  const names = isListed ? writtenNames(ours["consumers"]) : listed.consumers.map(({ name }) => name);
  const notify = await readNotify(ours["notify"], resolver);

  const issues = [
    ...top.issues,
    ...supervisorIssues(supervisor, "supervisor"),
    ...messaging.issues,
    ...placed.issues,
    ...listed.issues,
    ...unknownConsumerIssues(placed.bindings, names),
    ...defaultConsumerIssues(top.tables.gateway.default_consumer, names),
    ...notify.issues,
  ];
  if (issues.length > 0 || context.adminListen === null) {
    const all = [...issues, ...messaging.invalid.flatMap((key) => key.issues)];
    return { ok: false, errors: withLines(all, lineOf) };
  }
  const knownKeys = new Set([...messaging.adapters, ...messaging.invalid].map(({ key }) => key));
  const split = splitBindings(placed.bindings, knownKeys, new Set(messaging.disabledKeys));
  const ignoredMessaging = isTable(ours["messaging"]) ? Object.keys(ours["messaging"]) : [];
  const passedOver = [
    ...ignored,
    ...ignoredMessaging.filter((name) => ignoredPlatforms.has(name)).map((name) => joinPath("messaging", name)),
  ];
  return {
    ok: true,
    config: {
      ...toSettings(top.tables, baseDir, listed.consumers[0]?.name ?? ""),
      supervisor,
      admin: { listen: context.adminListen },
      consumers: listed.consumers,
      bindings: split.bindings,
      notify: notify.urls.map((url) => ({ url })),
      adapters: messaging.adapters,
      invalid: messaging.invalid.map(({ key, platform, issues: found }) => ({
        key,
        platform,
        errors: withLines(found, lineOf),
      })),
      disabledKeys: messaging.disabledKeys,
      skippedBindings: withLines(split.skipped, lineOf),
      warnings: withLines(ignoredWarning(passedOver), lineOf),
      secretPaths: [...(secretsDir === null ? [] : [secretsDir]), ...resolver.files],
    },
  };
}

/** Tables that are wrong have their defaults, so that the rest can still be looked at. */
function readTopLevel(value: Table): { readonly tables: TopLevel; readonly issues: readonly Issue[] } {
  const read = readFields(topLevelShape, value, "", { elsewhere });
  const defaults = readFields(topLevelShape, {}, "").fields;
  // Each table was parsed by its own schema, or is what that schema makes of nothing.
  return { tables: { ...defaults, ...read.fields } as TopLevel, issues: read.issues };
}

function toSettings(
  tables: TopLevel,
  baseDir: string,
  firstConsumer: string,
): Pick<Config, "gateway" | "hosts" | "journal"> {
  const gateway = camelKeys(tables.gateway);
  return {
    gateway: {
      ...gateway,
      stateDir: path.resolve(baseDir, gateway.stateDir),
      defaultConsumer: gateway.defaultConsumer === "" ? firstConsumer : gateway.defaultConsumer,
    },
    hosts: camelKeys(tables.hosts),
    journal: camelKeys(tables.journal),
  };
}

function writtenNames(consumers: unknown): readonly string[] {
  const entries: readonly unknown[] = Array.isArray(consumers) ? consumers : [];
  return entries
    .map((entry) => (isTable(entry) ? entry["name"] : undefined))
    .filter((name) => typeof name === "string")
    .map((name) => name.trim());
}

function defaultConsumerIssues(name: string, names: readonly string[]): readonly Issue[] {
  if (name === "" || names.includes(name)) return [];
  return [{ path: "gateway.default_consumer", message: unknownConsumerMessage(name, names) }];
}

async function readNotify(
  value: unknown,
  resolver: ReferenceResolver,
): Promise<{ readonly urls: readonly string[]; readonly issues: readonly Issue[] }> {
  const read = readFields({ notify: notifyList }, value === undefined ? {} : { notify: value }, "");
  // The field above is the list schema's output, or missing because it is wrong.
  const entries = (read.fields["notify"] ?? []) as z.output<typeof notifyList>;
  const issues: Issue[] = [...read.issues];
  const urls: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const resolved = await resolver.resolve(entry.url);
    const problem = resolved.ok ? urlProblem(resolved.value, "http") : resolved.problem;
    if (problem !== null) issues.push({ path: joinPath("notify", index, "url"), message: problem });
    else if (resolved.ok) urls.push(resolved.value);
  }
  return { urls, issues };
}

function ignoredWarning(names: readonly string[]): readonly Issue[] {
  if (names.length === 0) return [];
  return [{ path: "", message: `passed over, because nothing here reads them: ${names.toSorted().join(", ")}` }];
}

/** With their lines, in the order of the file. */
function withLines(issues: readonly Issue[], lineOf: LineLookup): readonly ConfigIssue[] {
  return issues
    .map((issue) => ({ ...issue, line: lineOf(issue.path) }))
    .toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0) || compare(left.path, right.path));
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
