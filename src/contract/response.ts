/** What a consumer can answer with, and the parser for answers that come over HTTP or from a handler. */
import { z } from "zod";
import { GatewayError } from "./errors.ts";
import { responseKinds as allKinds } from "./response-kinds.ts";

const text = z.string().max(1_000_000);
const card = z.strictObject({
  title: z.string().optional(),
  description: z.string().optional(),
  color: z.number().int().optional(),
  url: z.string().optional(),
  fields: z
    .array(z.strictObject({ name: z.string(), value: z.string(), inline: z.boolean().default(false) }))
    .default([]),
  footer: z
    .union([z.string(), z.strictObject({ text: z.string(), iconUrl: z.string().optional() })])
    .transform((footer) => (typeof footer === "string" ? { text: footer } : footer))
    .optional(),
  thumbnail: z.strictObject({ url: z.string() }).optional(),
  image: z.strictObject({ url: z.string() }).optional(),
  author: z.strictObject({ name: z.string(), url: z.string().optional(), iconUrl: z.string().optional() }).optional(),
  timestamp: z.string().optional(),
});
const button = z.strictObject({
  label: z.string(),
  customId: z.string().optional(),
  style: z.enum(["primary", "secondary", "success", "danger", "link"]).default("secondary"),
  url: z.string().optional(),
});
const selectOption = z.strictObject({
  label: z.string(),
  value: z.string(),
  description: z.string().optional(),
  emoji: z.string().optional(),
});
const interactiveElement = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("buttons"), buttons: z.array(button) }),
  z.strictObject({
    kind: z.literal("select"),
    customId: z.string(),
    options: z.array(selectOption),
    placeholder: z.string().optional(),
  }),
]);
const poll = z.strictObject({
  question: z.string(),
  answers: z.array(z.string()),
  allowMultiselect: z.boolean().default(false),
  durationHours: z.number().int().positive().default(24),
});

/** One schema per response kind. `stream_chunk` carries the full text so far, never a difference. */
export const responseSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("text"), text }),
  z.strictObject({ kind: z.literal("thread_reply"), threadName: z.string().max(200), text }),
  z.strictObject({
    kind: z.literal("file"),
    filename: z.string().min(1).max(255),
    mimeType: z.string().max(255).default("application/octet-stream"),
    /** Base64. */
    data: z.base64(),
    caption: text.optional(),
  }),
  z.strictObject({ kind: z.literal("reaction"), emoji: z.string().min(1).max(100) }),
  z.strictObject({ kind: z.literal("remove_reaction"), emoji: z.string().min(1).max(100) }),
  z.strictObject({ kind: z.literal("ephemeral"), text, userId: z.string() }),
  z.strictObject({
    kind: z.literal("rich_message"),
    text,
    blocks: z.array(z.unknown()).default([]),
    cards: z.array(card).default([]),
    interactiveElements: z.array(interactiveElement).default([]),
    poll: poll.optional(),
  }),
  z.strictObject({ kind: z.literal("scheduled_message"), text, postAt: z.number().int() }),
  z.strictObject({ kind: z.literal("stream_start") }),
  z.strictObject({ kind: z.literal("stream_chunk"), text }),
  z.strictObject({ kind: z.literal("stream_end"), text: text.default("") }),
]);
/** A response in full. A plain string stands for `{ kind: "text", text }`. */
export type Response = z.output<typeof responseSchema>;
/** What a handler may return or pass to `context.reply`. */
export type ResponseInput = string | z.input<typeof responseSchema>;
/** Which kind of response it is; the rows of the capability matrix. */
export type ResponseKind = Response["kind"];
/** Every {@link ResponseKind}. */
export const responseKinds = allKinds satisfies readonly ResponseKind[];

/** What a bot is busy with. `thinking` shows a typing indicator where the platform has one, `stop_typing` ends it. */
export const statusSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("thinking") }),
  z.strictObject({ kind: z.literal("stop_typing") }),
  z.strictObject({ kind: z.literal("tool_started"), toolName: z.string() }),
  z.strictObject({ kind: z.literal("tool_completed"), toolName: z.string() }),
]);
/** See {@link statusSchema}. */
export type StatusUpdate = z.output<typeof statusSchema>;

/**
 * A handler's or caller's answer in its full form.
 * @throws {GatewayError} `invalid_request` naming each field that is wrong.
 */
export function parseResponse(input: unknown): Response {
  if (typeof input === "string") return { kind: "text", text: input };
  const parsed = responseSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new GatewayError("invalid_request", `Cannot send the response: ${z.prettifyError(parsed.error)}`);
}

/** A chunk of a stream may be lost and is never stored; everything else is. */
export function isVolatile(response: Response): boolean {
  return response.kind === "stream_chunk";
}
