/** `bulkhead tail`: messages as they come. */
import { NotRunningError } from "../admin-client.ts";
import type { GatewayEvent } from "../contract/control.ts";
import { exitCodes, type CommandContext } from "./context.ts";
import { printable } from "./text.ts";

/** Prints each message event until the signal. @throws {NotRunningError} when the gateway ends the stream. */
export async function tail(context: CommandContext, signal: AbortSignal): Promise<number> {
  const gateway = await context.connect();
  for await (const event of gateway.events({ signal })) {
    if (event.event === "message") context.print(context.json ? JSON.stringify(event.data) : formatMessage(event.data));
  }
  if (!signal.aborted) throw new NotRunningError("gateway not running: it closed the stream");
  return exitCodes.done;
}

/** `webhook/room Ann: hello`, as far as the event says; what else it says follows as JSON. */
export function formatMessage(data: GatewayEvent["data"]): string {
  const { key, adapter, conversation, sender, text, ...rest } = data;
  const place = [key ?? adapter, conversation].filter((part) => typeof part === "string").join("/");
  const who = nameOf(sender);
  const others = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
  const said = typeof text === "string" ? ` ${who === "" ? "" : `${who}: `}${text}` : "";
  return printable(`${place}${said}${others}`.trim());
}

function nameOf(sender: unknown): string {
  if (typeof sender === "string") return sender;
  if (typeof sender !== "object" || sender === null) return "";
  const { name, id } = sender as Readonly<Record<string, unknown>>;
  return typeof name === "string" && name !== "" ? name : typeof id === "string" ? id : "";
}
