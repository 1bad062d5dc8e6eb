/**
 * A third party's adapter, whole: Acme speaks JSON lines over TCP. It gives an event again until it was acknowledged, so
 * nothing needs to be remembered here; and it leaves reconnecting, and the end of a silent connection, to its supervisor.
 */
import { z } from "zod";
import type { AdapterContext, Policy, RunningAdapter, SendRequest } from "../../../src/contract/adapter.ts";
import { defineAdapter, GatewayError } from "../../../src/library.ts";
import { AcmeConnection } from "./acme-connection.ts";
import type { AcmeEvent } from "./acme-events.ts";
import { buttonsOf, richText, type AcmeButton } from "./acme-rich-message.ts";

/** `[messaging.acme.settings]`. */
export const acmeSettings = z.strictObject({ host: z.string(), port: z.number().int(), token: z.string().min(1) });
/** See {@link acmeSettings}. */
export type AcmeSettings = z.output<typeof acmeSettings>;

/** Acme's own limit is 500 code points, which is what `.` stands for under the flag `u`. */
const partForm = /.{1,500}/gsu;

export default defineAdapter({
  platform: "acme",
  capabilities: { text: "native", rich_message: "native", reaction: "native", remove_reaction: "none" },
  // A ping a second, and none of seven was answered.
  maxSilenceMs: 8_000,
  settings: acmeSettings,
  start,
});

async function start(context: AdapterContext<AcmeSettings>): Promise<RunningAdapter> {
  const { settings, signal, log } = context;
  let { policy } = context;
  const closed = Promise.withResolvers<void>();
  closed.promise.catch(() => {});
  const connection = await AcmeConnection.open({
    ...settings,
    signal,
    onFrame: () => context.frame(),
    onEvent: (event, from) => {
      // Without an acknowledgement Acme gives it again, to this life or the next.
      receive(event, from).catch((reason: unknown) => {
        log.warn("acme-event-not-accepted", { code: GatewayError.from(reason).code });
        from.close(new GatewayError("platform_unavailable", "Cannot go on: an event was not accepted"));
      });
    },
    onIgnored: (count) => log.warn("acme-line-ignored", { count }),
    onClosed: (reason) => (reason === null ? closed.resolve() : closed.reject(reason)),
  });

  async function receive({ id, room, message }: AcmeEvent, from: AcmeConnection): Promise<void> {
    const isHeard = policy.chatFilter === null || policy.chatFilter.includes(room);
    if (isHeard) await context.emit(message);
    from.acknowledge(id);
  }

  /** Acme keeps the list that it was given last, whoever gave it. */
  async function offer({ commands }: Policy): Promise<void> {
    const offered = commands.map(({ name, description, options }) => ({ name, description, options }));
    await connection.call({ type: "offer", commands: offered }, signal);
  }

  /**
   * In parts, with the buttons below the last one. Resolves with the last one's id. What Acme was given with the same key
   * before it does not show again.
   */
  async function say(
    { conversation, idempotencyKey, signal: sendSignal }: SendRequest,
    { text, buttons }: { readonly text: string; readonly buttons: readonly AcmeButton[] },
  ): Promise<string | null> {
    const parts = text.match(partForm) ?? [];
    let last: string | null = null;
    for (const [index, part] of parts.entries()) {
      const below = index === parts.length - 1 && buttons.length > 0 ? { buttons } : {};
      const key = `${idempotencyKey}/${index}`;
      const call = { type: "say", key, room: conversation, text: part, ...below };
      last = String((await connection.call(call, sendSignal))["id"]);
    }
    return last;
  }

  async function send(request: SendRequest): Promise<{ readonly platformMessageId: string | null }> {
    const { response, replyTo, signal: sendSignal } = request;
    if (response.kind === "text")
      return { platformMessageId: await say(request, { text: response.text, buttons: [] }) };
    if (response.kind === "rich_message")
      return { platformMessageId: await say(request, { text: richText(response), buttons: buttonsOf(response) }) };
    if (response.kind !== "reaction")
      throw new GatewayError("unsupported_response", `Cannot send ${response.kind}: Acme has no such thing`);
    const target = replyTo?.["messageId"];
    if (target === undefined) throw new GatewayError("invalid_request", "Cannot react: the reply is to no message");
    await connection.call({ type: "react", id: target, emoji: response.emoji }, sendSignal);
    return { platformMessageId: target };
  }

  try {
    await offer(policy);
  } catch (reason) {
    await connection.end();
    throw reason;
  }
  return {
    closed: closed.promise,
    send,
    // Acme knows a send by its key, and a reaction is there once however often it is put.
    completeSend: send,
    async history({ conversation, limit, before }) {
      return connection.past({ room: conversation, limit, before }, signal);
    },
    async attachment({ ref, path, maxBytes, signal: fetchSignal }) {
      return connection.download({ id: ref, path, maxBytes }, fetchSignal);
    },
    async updatePolicy(next) {
      policy = next;
      await offer(next);
    },
    probe: () => connection.ping(),
    stop: () => connection.end(),
  };
}
