/** Posts what is to be said: once, however often it is sent again, and as an interaction's answer where there is one. */
import { Routes } from "discord.js";
import type { ReplyTo } from "../../src/contract/message.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { discordCodes, isDiscordError } from "./api-error.ts";
import type { DiscordApi } from "./api.ts";
import { findPosted } from "./doubtful-posts.ts";
import { untoldSend } from "../../src/support/untold-send.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import type { Interactions, MessageBody } from "./interactions.ts";
import { nonceOf } from "./nonce.ts";
import { idOf } from "./payload.ts";
import type { Places } from "./places.ts";

/** Where a send goes and what it answers. */
export type Destination = {
  readonly conversation: string;
  readonly replyTo: ReplyTo | null;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
};
/** A send of which an earlier life may have posted parts, from then on. */
export type DoubtfulDestination = Destination & { readonly sinceMs: number };

const mostPosted = 2_000;

/** One generation's posts. */
export class MessageSender {
  readonly #api: DiscordApi;
  readonly #places: Places;
  readonly #interactions: Interactions;
  readonly #userId: string;
  /** Message by send and part: a send that failed half-way goes on where it failed. */
  readonly #posted = new BoundedMap<string>(mostPosted);
  /** Where an answer that could not be edited as an interaction's is found. */
  readonly #channels = new BoundedMap<string>(mostPosted);

  constructor(parts: {
    readonly api: DiscordApi;
    readonly places: Places;
    readonly interactions: Interactions;
    /** The bot's own. */
    readonly userId: string;
  }) {
    this.#api = parts.api;
    this.#places = parts.places;
    this.#interactions = parts.interactions;
    this.#userId = parts.userId;
  }

  /** Posts all parts in order; resolves with the first one's id. @throws {GatewayError} what Discord says. */
  async send(parts: readonly MessageBody[], to: Destination): Promise<string> {
    let first = "";
    for (const [index, part] of parts.entries()) {
      const key = nonceOf(to.idempotencyKey, index);
      const known = this.#posted.get(key);
      const id = known ?? (await this.#post(part, to, index));
      this.#posted.set(key, id);
      if (index === 0) first = id;
    }
    return first;
  }

  /**
   * Posts what is not there yet.
   * @throws {GatewayError} `timeout` where that cannot be told: what answered an interaction may have been shown to one alone.
   */
  async complete(parts: readonly MessageBody[], to: DoubtfulDestination): Promise<string> {
    if (to.replyTo?.["interactionId"] !== undefined) throw untoldSend("it answers an interaction");
    const channelId = await this.#places.channelOf(to.conversation);
    const named = parts.map((body, index) => ({ body, nonce: nonceOf(to.idempotencyKey, index) }));
    const there = await findPosted(this.#api, { channelId, userId: this.#userId, sinceMs: to.sinceMs }, named);
    for (const [index, id] of there.entries()) this.#posted.set(nonceOf(to.idempotencyKey, index), id);
    return this.send(parts, to);
  }

  /**
   * Shows it to who caused the interaction alone: in a direct message once the interaction is over. What answers no
   * interaction nobody can be shown alone, so it is shown to all.
   */
  async sendPrivately(parts: readonly MessageBody[], to: Destination): Promise<string> {
    const interactionId = to.replyTo?.["interactionId"];
    if (interactionId === undefined) return this.send(parts, to);
    let first = "";
    for (const [index, part] of parts.entries()) {
      const key = nonceOf(to.idempotencyKey, index);
      const known = this.#posted.get(key) ?? (await this.#interactions.answerPrivately(interactionId, part));
      const id = known ?? (await this.#post(part, afterInteraction(to), index));
      this.#posted.set(key, id);
      if (index === 0) first = id;
    }
    return first;
  }

  /** Posts one message to a channel. `part` tells it from the others of its send. */
  async postTo(
    channelId: string,
    body: MessageBody,
    named: { readonly key: string; readonly part: number },
  ): Promise<string> {
    const fields = { ...body.fields, nonce: nonceOf(named.key, named.part), enforce_nonce: true };
    const route = Routes.channelMessages(channelId);
    const answer = await this.#api.call({
      method: "POST",
      route,
      what: "post the message",
      body: fields,
      files: body.files,
    });
    const id = idOf(answer, "id");
    if (id === null) throw new GatewayError("platform_unavailable", "Cannot post the message: the answer has no id");
    this.#channels.set(id, channelId);
    return id;
  }

  /** Changes a message of ours. @throws {GatewayError} what Discord says. */
  async edit(conversation: string, messageId: string, body: MessageBody): Promise<void> {
    if (await this.#interactions.edit(messageId, body)) return;
    const channelId = this.#channels.get(messageId) ?? (await this.#places.channelOf(conversation));
    const route = Routes.channelMessage(channelId, messageId);
    await this.#api.call({ method: "PATCH", route, what: "edit the message", body: body.fields });
  }

  async #post(body: MessageBody, to: Destination, part: number): Promise<string> {
    const interactionId = to.replyTo?.["interactionId"];
    const answered = interactionId === undefined ? null : await this.#interactions.answer(interactionId, body);
    if (answered !== null) return answered;
    const userId = to.replyTo?.["userId"];
    // Its answer was promised to who asked alone; without the interaction only a direct message keeps that.
    const isPrivate = to.replyTo?.["isPrivate"] === "true" && userId !== undefined;
    const channelId = await this.#places.channelOf(isPrivate ? `dm:${userId}` : to.conversation);
    const named = { key: to.idempotencyKey, part };
    const reference = isPrivate || part > 0 ? null : referenceOf(to, channelId);
    if (reference === null) return this.postTo(channelId, body, named);
    const replying = { ...body, fields: { ...body.fields, message_reference: reference } };
    try {
      return await this.postTo(channelId, replying, named);
    } catch (reason) {
      // Replying takes the right to read what was said before; saying it does not.
      if (!isDiscordError(reason, discordCodes.cannotReplyWithoutHistory)) throw reason;
      return this.postTo(channelId, body, named);
    }
  }
}

function afterInteraction(to: Destination): Destination {
  const userId = to.replyTo?.["userId"];
  return { ...to, replyTo: userId === undefined ? null : { userId, isPrivate: "true" } };
}

/** In a channel where many talk an answer shows what it answers; a direct conversation does without. */
function referenceOf(to: Destination, channelId: string): Readonly<Record<string, unknown>> | null {
  const messageId = to.replyTo?.["messageId"];
  if (messageId === undefined || to.replyTo?.["channelId"] !== channelId || to.conversation !== channelId) return null;
  return { message_id: messageId, fail_if_not_exists: false };
}
