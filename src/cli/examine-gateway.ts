/** What a running gateway's status says to somebody who looks for what is wrong. Pure. */
import type { AdapterStatus, GatewayStatus, HostStatus } from "../contract/status.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";
import { formatBytes, formatSeconds } from "./text.ts";

/** Of an adapter's limit: beyond it a replacement is near. */
const muchMemoryShare = 0.8;
/** A thread that answers so late is busy with something that it should not do at once. */
const lateMs = 500;

/** One finding for each thing that is wrong, and one for the gateway as a whole. */
export function examineGateway(status: GatewayStatus): readonly Finding[] {
  const { version, pid, uptimeSeconds, adapters } = status;
  const running = adapters.filter(({ state }) => state === "running").length;
  return [
    ok(
      "gateway",
      `${version}, pid ${pid}, up ${formatSeconds(uptimeSeconds)}, ${running} of ${adapters.length} adapters run`,
    ),
    ...status.conditions.map(({ code, key, message }) =>
      problem(
        key === null ? code : `${code} ${key}`,
        message,
        code === "dead_letters" ? "bulkhead dead-letters list" : null,
      ),
    ),
    ...adapters.flatMap(examineAdapter),
    ...status.hosts.flatMap(examineHost),
  ];
}

function examineAdapter(adapter: AdapterStatus): readonly Finding[] {
  const { key, state, memory, eventLoop, messages } = adapter;
  const subject = `adapter ${key}`;
  const findings: Finding[] = [];
  if (state !== "running" && state !== "paused") findings.push(notRunning(subject, adapter));
  if (state === "paused") findings.push(warning(subject, "paused by an operator", `bulkhead resume ${key}`));
  const bytes = memory.heapBytes + memory.externalBytes;
  if (bytes > memory.limitBytes * muchMemoryShare)
    findings.push(
      warning(
        subject,
        `holds ${formatBytes(bytes)} of at most ${formatBytes(memory.limitBytes)}`,
        `bulkhead heap-snapshot ${key} shows by what`,
      ),
    );
  if (eventLoop.delayP99Ms > lateMs)
    findings.push(
      warning(
        subject,
        `its thread answers ${Math.round(eventLoop.delayP99Ms)} ms late`,
        `bulkhead cpu-profile ${key} shows why`,
      ),
    );
  if (messages.lost > 0)
    findings.push(warning(subject, `${messages.lost} messages were not accepted and will not come again`));
  return findings;
}

function notRunning(subject: string, { state, reason, message, userAction, nextRetryAt }: AdapterStatus): Finding {
  const retry = nextRetryAt === null ? "" : `, next try at ${nextRetryAt}`;
  const text = `${state} (${reason}${retry})${message === null ? "" : `: ${message}`}`;
  // On its way to running, which a start's own time limit sees to.
  return state === "starting" || state === "stopping"
    ? warning(subject, text, userAction)
    : problem(subject, text, userAction);
}

function examineHost({ pid, keys, quarantineReason }: HostStatus): readonly Finding[] {
  if (quarantineReason === null) return [];
  const [key = ""] = keys;
  const message = `process ${pid} is kept for ${keys.join(", ")} alone: ${quarantineReason}`;
  return [warning("quarantine", message, `bulkhead restart ${key} --shared takes it back among the others`)];
}
