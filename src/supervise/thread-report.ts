/** What a thread says of itself, parsed: the other side is not trusted. */
import { parseErrorReport } from "../contract/errors.ts";
import { parseMeta, type Frame } from "../contract/frame.ts";
import type { EventMeta, LogRecord, StartedValue } from "../contract/protocol.ts";
import { parseSendRates } from "./send-rates.ts";

/** What `start` answered. What is missing or malformed is taken as not declared. */
export function parseStarted(value: unknown): StartedValue {
  const record = isRecord(value) ? value : {};
  const { maxSilenceMs, capabilities } = record;
  return {
    maxSilenceMs: typeof maxSilenceMs === "number" && maxSilenceMs > 0 ? maxSilenceMs : 0,
    pull: record["pull"] === true,
    overlap: record["overlap"] === true,
    canUpdatePolicy: record["canUpdatePolicy"] === true,
    canProbe: record["canProbe"] === true,
    canCompleteSend: record["canCompleteSend"] === true,
    sendRates: parseSendRates(record["sendRates"]),
    capabilities: isRecord(capabilities)
      ? Object.fromEntries(Object.entries(capabilities).map(([kind, capability]) => [kind, String(capability)]))
      : {},
  };
}

const longestTextCharacters = 2000;
/** Of one report; what is beyond that is a mistake of the adapter, not a measurement. */
const mostMissed = { messages: 1_000_000_000, gapSeconds: 31_536_000 } as const;
const logLevels: readonly string[] = ["debug", "info", "warn", "error"];

/** An `event` frame, or `null` for what is none. */
export function parseEvent(frame: Frame): EventMeta | null {
  let value: unknown;
  try {
    value = parseMeta(frame);
  } catch {
    // Not JSON: a thread that sends this has no event to tell.
    return null;
  }
  if (!isRecord(value)) return null;
  const { event, reason, error, records, dropped } = value;
  switch (event) {
    case "loaded":
    case "frame":
    case "connected":
      return { event };
    case "reconnecting":
      return { event, reason: typeof reason === "string" ? reason.slice(0, longestTextCharacters) : "" };
    case "missed":
      return parseMissed(value);
    case "closed":
      return { event, error: parseErrorReport(error) };
    case "log":
      return {
        event,
        records: Array.isArray(records) ? records.filter(isLogRecord) : [],
        dropped: typeof dropped === "number" ? dropped : 0,
      };
    default:
      return null;
  }
}

/** Both numbers must make sense: half a report would hide the other half. One of nothing is none. */
function parseMissed({ messages, gapSeconds }: Readonly<Record<string, unknown>>): EventMeta | null {
  if (!isAmount(messages) || !isAmount(gapSeconds) || messages + gapSeconds === 0) return null;
  return {
    event: "missed",
    messages: Math.min(Math.ceil(messages), mostMissed.messages),
    gapSeconds: Math.min(gapSeconds, mostMissed.gapSeconds),
  };
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isLogRecord(value: unknown): value is LogRecord {
  if (!isRecord(value)) return false;
  const { level, name, fields } = value;
  return typeof level === "string" && logLevels.includes(level) && typeof name === "string" && isRecord(fields);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
