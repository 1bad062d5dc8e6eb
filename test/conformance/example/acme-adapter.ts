/**
 * A third party's adapter, whole: Acme speaks JSON lines over TCP. It gives a message again until it was acknowledged,
 * so nothing needs to be remembered here; and it leaves reconnecting to its supervisor.
 */
import { z } from "zod";
import type { AdapterContext, RunningAdapter, SendRequest } from "../../../src/contract/adapter.ts";
import { defineAdapter, GatewayError } from "../../../src/library.ts";
import { AcmeConnection, type AcmeMessage } from "./acme-connection.ts";

const settingsSchema = z.strictObject({ host: z.string(), port: z.number().int(), token: z.string().min(1) });
type AcmeSettings = z.output<typeof settingsSchema>;

/** Acme's own limit is 500 code points, which is what `.` stands for under the flag `u`. */
const partForm = /.{1,500}/gsu;

export default defineAdapter({
  platform: "acme",
  capabilities: { text: "native", reaction: "native", remove_reaction: "none" },
  maxSilenceMs: 15_000,
  settings: settingsSchema,
  start,
});

async function start(context: AdapterContext<AcmeSettings>): Promise<RunningAdapter> {
  const { settings, signal } = context;
  let { policy } = context;
  const closed = Promise.withResolvers<void>();
  const connection = await AcmeConnection.open({
    ...settings,
    signal,
    onFrame: () => context.frame(),
    onMessage: (message) => {
      // Without an acknowledgement Acme gives it again, to this life or the next.
      receive(message).catch((reason: unknown) => {
        context.log.warn("acme-message-not-accepted", { code: GatewayError.from(reason).code });
        connection.close(new GatewayError("platform_unavailable", "Cannot go on: a message was not accepted"));
      });
    },
    onClosed: (reason) => (reason === null ? closed.resolve() : closed.reject(reason)),
  });
  closed.promise.catch(() => {});

  async function receive({ id, room, user, text, files }: AcmeMessage): Promise<void> {
    const isHeard = policy.chatFilter === null || policy.chatFilter.includes(room);
    if (isHeard)
      await context.emit({
        id,
        conversation: room,
        sender: { id: user.id, name: user.name },
        text,
        kind: files.length > 0 ? "media" : "text",
        attachments: files.map((file) => ({
          filename: file.name,
          mimeType: file.mime,
          sizeBytes: file.size,
          ref: file.id,
        })),
        routing: { chatId: room, channelIds: [room] },
        replyTo: { messageId: id },
      });
    connection.acknowledge(id);
  }

  return {
    closed: closed.promise,
    async send({ conversation, response, replyTo, signal: sendSignal }: SendRequest) {
      if (response.kind === "reaction") {
        const target = replyTo?.["messageId"];
        if (target === undefined) throw new GatewayError("invalid_request", "Cannot react: the reply is to no message");
        const call = { type: "react", room: conversation, id: target, emoji: response.emoji };
        return { platformMessageId: await connection.call(call, sendSignal) };
      }
      if (response.kind !== "text")
        throw new GatewayError("unsupported_response", `Cannot send ${response.kind}: Acme has no such thing`);
      let platformMessageId: string | null = null;
      for (const text of response.text.match(partForm) ?? [])
        platformMessageId = await connection.call({ type: "say", room: conversation, text }, sendSignal);
      return { platformMessageId };
    },
    async attachment({ ref, path, maxBytes, signal: fetchSignal }) {
      return connection.download({ id: ref, path, maxBytes }, fetchSignal);
    },
    async updatePolicy(next) {
      policy = next;
    },
    probe: () => connection.ping(),
    stop: () => connection.end(),
  };
}
