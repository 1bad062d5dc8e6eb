/** Consumers: those the config lists, else one stream per name that its bindings use. */
import { z } from "zod";
import type { ConsumerConfig } from "../contract/config.ts";
import { consumerSchema } from "./consumer-schema.ts";
import { joinPath, zodIssues, type Issue } from "./issue.ts";
import { urlProblem } from "./loopback.ts";
import { readModuleFile } from "./module-file.ts";
import { isTable } from "./plain-value.ts";
import type { ReferenceResolver } from "./references.ts";

/** What `[[consumers]]` comes to. */
export type ConsumersResult = { readonly consumers: readonly ConsumerConfig[]; readonly issues: readonly Issue[] };

/** What reading consumers needs. */
export type ConsumersContext = {
  readonly resolver: ReferenceResolver;
  readonly baseDir: string;
  readonly signal?: AbortSignal;
};

/** The consumer of a config that names none. */
const defaultName = "main";
const listPath = "consumers";
const listSchema = z.array(consumerSchema);

/** Whether the config lists consumers, rather than leaving them to its bindings. */
export function listsConsumers(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/** One stream consumer per name, in order; none: `main`. */
export function impliedConsumers(names: readonly string[]): readonly ConsumerConfig[] {
  const distinct = names.length === 0 ? [defaultName] : [...new Set(names)];
  return distinct.map((name) => {
    const parsed = consumerSchema.parse({ name, stream: true });
    return toConfig(parsed, { kind: "stream" }, null);
  });
}

/** Reads `[[consumers]]`; every error in it stops the config as a whole. */
export async function readConsumers(value: unknown, context: ConsumersContext): Promise<ConsumersResult> {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [];
  const issues: Issue[] = [...targetCountIssues(entries), ...sameNameIssues(entries)];
  const parsed = listSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) issues.push(...zodIssues(parsed.error, listSchema, listPath));
  const consumers: ConsumerConfig[] = [];
  for (const [index, entry] of entries.entries()) {
    // One by one, so that a wrong entry does not hide what the files of the right ones are missing.
    const consumer = consumerSchema.safeParse(entry);
    if (!consumer.success) continue;
    const read = await readTarget(consumer.data, joinPath(listPath, index), context);
    if (read.consumer !== null) consumers.push(read.consumer);
    issues.push(...read.issues);
  }
  return { consumers, issues };
}

type ConsumerFields = z.output<typeof consumerSchema>;

function toConfig(fields: ConsumerFields, target: ConsumerConfig["target"], moduleHash: string | null): ConsumerConfig {
  return {
    name: fields.name,
    target,
    concurrency: fields.concurrency,
    threads: fields.threads,
    timeoutMs: fields.timeout_ms,
    maxAttempts: fields.max_attempts,
    moduleHash,
  };
}

type TargetResult = { readonly consumer: ConsumerConfig | null; readonly issues: readonly Issue[] };

async function readTarget(fields: ConsumerFields, path: string, context: ConsumersContext): Promise<TargetResult> {
  if (fields.module !== undefined) {
    const module = await readModuleFile(fields.module, context.baseDir, context.signal);
    if (!module.ok) return { consumer: null, issues: [{ path: joinPath(path, "module"), message: module.problem }] };
    return {
      consumer: toConfig(fields, { kind: "module", moduleUrl: module.moduleUrl }, module.moduleHash),
      issues: [],
    };
  }
  if (fields.url !== undefined) return readUrlTarget(fields, fields.url, path, context);
  if (fields.builtin === "echo") return { consumer: toConfig(fields, { kind: "echo" }, null), issues: [] };
  return { consumer: toConfig(fields, { kind: "stream" }, null), issues: [] };
}

async function readUrlTarget(
  fields: ConsumerFields,
  givenUrl: string,
  path: string,
  context: ConsumersContext,
): Promise<TargetResult> {
  const issues: Issue[] = [];
  const url = await context.resolver.resolve(givenUrl);
  const problem = url.ok ? urlProblem(url.value, "http") : url.problem;
  if (problem !== null) issues.push({ path: joinPath(path, "url"), message: problem });
  const secret = await context.resolver.resolve(fields.signing_secret);
  if (!secret.ok) issues.push({ path: joinPath(path, "signing_secret"), message: secret.problem });
  if (!url.ok || !secret.ok || issues.length > 0) return { consumer: null, issues };
  return { consumer: toConfig(fields, { kind: "url", url: url.value, signingSecret: secret.value }, null), issues };
}

function targetCountIssues(entries: readonly unknown[]): readonly Issue[] {
  return entries.flatMap((entry, index) => {
    if (!isTable(entry)) return [];
    const targets = ["module", "url", "stream", "builtin"].filter(
      (key) => Object.hasOwn(entry, key) && !(key === "stream" && entry[key] === false),
    );
    if (targets.length === 1) return [];
    const found = targets.length === 0 ? "none" : targets.join(" and ");
    return [
      { path: joinPath(listPath, index), message: `found ${found}, expected one of module, url, stream, builtin` },
    ];
  });
}

function sameNameIssues(entries: readonly unknown[]): readonly Issue[] {
  const firstByName = new Map<string, number>();
  return entries.flatMap((entry, index) => {
    const name = isTable(entry) ? entry["name"] : undefined;
    if (typeof name !== "string") return [];
    const first = firstByName.get(name.trim());
    if (first === undefined) {
      firstByName.set(name.trim(), index);
      return [];
    }
    const message = `found the name of ${joinPath(listPath, first)}, expected a name of its own`;
    return [{ path: joinPath(listPath, index, "name"), message }];
  });
}
