/** The first thing done with what an adapter's thread sent: nothing of it is trusted, and this runs for every message. */
import { GatewayError } from "../contract/errors.ts";
import { messageKinds, type MessageKind, type Routing, type RoutingHeader } from "../contract/message.ts";
import { frameMessageLimit, type DataMeta } from "../contract/protocol.ts";

/** The longest text in a header, in characters. */
export const headerTextLimit = 512;
/** Most entries of `routing.channelIds`. */
const channelLimit = 16;

const idFormat = /^m[A-Za-z0-9_-]{22}$/;
const knownKinds: ReadonlySet<unknown> = new Set<unknown>(messageKinds);
const noRouting: Routing = Object.freeze({});

/**
 * An adapter's data frame's meta, copied field by field, so that nothing else of it is stored.
 * `bodyBytes`: the length of the frame's body, which the payloads must fill exactly.
 * @throws {GatewayError} `invalid_request` naming the first thing that is wrong.
 */
export function parseDataMeta(value: unknown, bodyBytes: number): DataMeta {
  const meta = parseRecord(value, "meta");
  const frame = meta["frame"];
  if (!isCount(frame)) throw refuse(`frame is ${describe(frame)}, wanted a whole number`);
  const list = meta["headers"];
  if (!Array.isArray(list)) throw refuse(`headers is ${describe(list)}, wanted a list`);
  if (list.length > frameMessageLimit)
    throw refuse(`it holds ${list.length} messages, at most ${frameMessageLimit} are allowed`);
  const headers: RoutingHeader[] = [];
  let payloadBytes = 0;
  for (const item of list) {
    const header = parseHeader(item);
    payloadBytes += header.bytes;
    headers.push(header);
  }
  if (payloadBytes !== bodyBytes)
    throw refuse(`its payloads add up to ${payloadBytes} bytes, its body has ${bodyBytes}`);
  const resume = meta["resume"];
  return resume === undefined ? { frame, headers } : { frame, headers, resume };
}

function parseHeader(value: unknown): RoutingHeader {
  const { id, conversation, kind, senderId, bytes, routing } = parseRecord(value, "header");
  if (typeof id !== "string" || !idFormat.test(id)) throw refuse(`id is ${describe(id)}, wanted m and 22 characters`);
  if (typeof conversation !== "string" || conversation === "" || conversation.length > headerTextLimit)
    throw refuse(`conversation is ${describe(conversation)}, wanted 1 to ${headerTextLimit} characters`);
  if (!knownKinds.has(kind)) throw refuse(`kind is ${describe(kind)}, wanted one of ${messageKinds.join(" ")}`);
  if (typeof senderId !== "string" || senderId.length > headerTextLimit)
    throw refuse(`senderId is ${describe(senderId)}, wanted at most ${headerTextLimit} characters`);
  if (!isCount(bytes)) throw refuse(`bytes is ${describe(bytes)}, wanted a whole number`);
  // Known above: the set holds nothing but message kinds.
  return { id, conversation, kind: kind as MessageKind, senderId, bytes, routing: parseRouting(routing) };
}

function parseRouting(value: unknown): Routing {
  if (value === undefined) return noRouting;
  const given = parseRecord(value, "routing");
  const routing: { -readonly [Name in keyof Routing]: Routing[Name] } = {};
  // A loop over what is there, since most messages carry two or three of the nine.
  for (const name in given) {
    const field = given[name];
    if (field === undefined || field === null) continue;
    switch (name) {
      case "guildId":
      case "workspaceId":
      case "chatId":
      case "teamId":
      case "senderLogin":
      case "consumer":
        routing[name] = parseText(field, name);
        break;
      case "isDirect":
      case "mentionsBot":
        if (typeof field !== "boolean") throw refuse(`routing.${name} is ${describe(field)}, wanted true or false`);
        routing[name] = field;
        break;
      case "channelIds":
        if (!Array.isArray(field) || field.length > channelLimit)
          throw refuse(`routing.channelIds is ${describe(field)}, wanted a list of at most ${channelLimit}`);
        routing.channelIds = field.map((channel) => parseText(channel, name));
        break;
      // Another version's field: left out, because nothing here could match on it.
      default:
        break;
    }
  }
  return routing;
}

function parseText(value: unknown, name: string): string {
  if (typeof value !== "string" || value.length > headerTextLimit)
    throw refuse(`routing.${name} is ${describe(value)}, wanted at most ${headerTextLimit} characters`);
  return value;
}

function parseRecord(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse(`${name} is ${describe(value)}, wanted an object`);
  // An object's fields are unknown until each is checked.
  return value as Readonly<Record<string, unknown>>;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function refuse(found: string): GatewayError {
  return new GatewayError("invalid_request", `Cannot read an adapter's data frame: ${found}`);
}

/** What was found, short: it came from outside and ends in a log line. */
function describe(value: unknown): string {
  if (typeof value === "string")
    return value.length > 40 ? `a text of ${value.length} characters` : JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === undefined ? "missing" : value === null ? "null" : `of type ${typeof value}`;
}
