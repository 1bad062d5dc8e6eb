/**
 * Interactions that wait for an answer. Discord wants a first sign within 3 seconds and takes answers for 15 minutes; the
 * token that allows them is a secret and stays here. After a respawn it is gone: the answer is then an ordinary message.
 */
import type { RawFile } from "discord.js";
import { InteractionResponseType, MessageFlags, Routes } from "discord.js";
import type { CommandDeclaration } from "../../src/contract/command.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { after, steadyNow } from "../../src/support/time.ts";
import { discordCodes, isDiscordError } from "./api-error.ts";
import type { DiscordApi } from "./api.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import { idOf, type Payload } from "./payload.ts";
import { suggestionsFor, type InteractionHead } from "./translate-interaction.ts";

type Pending = {
  readonly head: InteractionHead;
  readonly isPrivate: boolean;
  readonly expiresAtMs: number;
  /** Whether Discord has taken the first sign; `null`: none was given yet. */
  deferring: Promise<boolean> | null;
  /** The deferred answer is a message now. */
  isAnswered: boolean;
};

/** A message as Discord takes it, and files that go with it. */
export type MessageBody = { readonly fields: Readonly<Record<string, unknown>>; readonly files: readonly RawFile[] };

/** Discord's own limit is 15. */
const lifetimeMs = 14 * 60_000;
/** After which the first sign is given whether the message is on disk or not. */
const deferAfterMs = 2_000;
const mostPending = 2_000;
const gone = [discordCodes.unknownInteraction, discordCodes.unknownWebhook, discordCodes.invalidWebhookToken] as const;

/** One generation's interactions. Disposing ends their timers. */
export class Interactions implements Disposable {
  readonly #api: DiscordApi;
  readonly #onError: (reason: unknown) => void;
  readonly #pending = new BoundedMap<Pending>(mostPending);
  readonly #timers = new Map<string, Disposable>();
  /** Interaction by the message that answers it: such a message is edited with the interaction's token. */
  readonly #answers = new BoundedMap<string>(mostPending);

  constructor(api: DiscordApi, onError: (reason: unknown) => void) {
    this.#api = api;
    this.#onError = onError;
  }

  /** Remembers a new one and sees to it that Discord hears of us in time. Commands say whether their answer is private. */
  receive(head: InteractionHead, commands: readonly CommandDeclaration[]): void {
    const isPrivate = commands.some(({ name, isPrivate: isHidden }) => isHidden && name === head.commandName);
    const expiresAtMs = steadyNow() + lifetimeMs;
    this.#pending.set(head.id, { head, isPrivate, expiresAtMs, deferring: null, isAnswered: false });
    this.#timers.set(
      head.id,
      after(deferAfterMs, () => this.defer(head.id)),
    );
  }

  /** Its answer is for who asked alone. */
  isPrivate(id: string): boolean {
    return this.#pending.get(id)?.isPrivate ?? false;
  }

  /** Gives the first sign, once: "thinking" for a command, nothing visible for a component. */
  defer(id: string): void {
    const pending = this.#pending.get(id);
    this.#stopTimer(id);
    if (pending === undefined || pending.deferring !== null) return;
    const isCommand = pending.head.kind === "command";
    pending.deferring = this.#acknowledge(pending.head, {
      type: isCommand
        ? InteractionResponseType.DeferredChannelMessageWithSource
        : InteractionResponseType.DeferredMessageUpdate,
      ...(isCommand && pending.isPrivate ? { data: { flags: MessageFlags.Ephemeral } } : {}),
    });
  }

  /** The policy does not let it through: who asked is told so, and nobody else. */
  refuse(id: string): void {
    const pending = this.#pending.get(id);
    this.#stopTimer(id);
    if (pending === undefined || pending.deferring !== null) return;
    this.#pending.delete(id);
    void this.#acknowledge(pending.head, {
      type: InteractionResponseType.ChannelMessageWithSource,
      data: { content: "This is not available here.", flags: MessageFlags.Ephemeral },
    });
  }

  /** Answers what a person is typing with the declared choices. */
  suggest(head: InteractionHead, data: Payload, commands: readonly CommandDeclaration[]): void {
    void this.#acknowledge(head, {
      type: InteractionResponseType.ApplicationCommandAutocompleteResult,
      data: { choices: suggestionsFor(data, commands) },
    });
  }

  /**
   * Says `message` as the interaction's answer: the first one takes the place of "thinking", later ones of a private
   * command stay private. `null`: it is to be said as an ordinary message, which all other later ones are too, since only
   * those can be told from their own repetition.
   * @throws {GatewayError} what Discord says to the message itself.
   */
  async answer(id: string, message: MessageBody): Promise<string | null> {
    const pending = await this.#deferred(id);
    if (pending === null || pending.head.kind !== "command") return null;
    if (pending.isAnswered && !pending.isPrivate) return null;
    return pending.isAnswered ? this.#followUp(pending, message) : this.#editOriginal(pending, message);
  }

  /** Says `message` to who caused the interaction alone; `null`: that is no longer possible. */
  async answerPrivately(id: string, message: MessageBody): Promise<string | null> {
    const pending = await this.#deferred(id);
    if (pending === null) return null;
    const { head, isPrivate, isAnswered } = pending;
    if (head.kind === "command" && !isAnswered && isPrivate) return this.#editOriginal(pending, message);
    // A public "thinking" cannot become private, so it goes first.
    if (head.kind === "command" && !isAnswered) {
      await this.#send("DELETE", `${Routes.webhook(head.applicationId, head.token)}/messages/@original`, null);
      pending.isAnswered = true;
    }
    return this.#followUp(pending, message);
  }

  /** Changes a message that {@link Interactions.answer} made; `false`: it is an ordinary one, or its time is over. */
  async edit(messageId: string, message: MessageBody): Promise<boolean> {
    const id = this.#answers.get(messageId);
    const pending = id === undefined ? null : await this.#deferred(id);
    if (pending === null) return false;
    const { applicationId, token } = pending.head;
    return this.#unlessGone(pending, async () => {
      await this.#send("PATCH", `${Routes.webhook(applicationId, token)}/messages/${messageId}`, message);
      return true;
    }).then((isDone) => isDone === true);
  }

  [Symbol.dispose](): void {
    for (const id of this.#timers.keys()) this.#stopTimer(id);
  }

  async #deferred(id: string): Promise<Pending | null> {
    this.defer(id);
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.expiresAtMs <= steadyNow()) return null;
    return (await pending.deferring) === true ? pending : null;
  }

  async #editOriginal(pending: Pending, message: MessageBody): Promise<string | null> {
    const { applicationId, token } = pending.head;
    return this.#unlessGone(pending, async () => {
      const route = `${Routes.webhook(applicationId, token)}/messages/@original` as const;
      const messageId = await this.#send("PATCH", route, message);
      pending.isAnswered = true;
      this.#answers.set(messageId, pending.head.id);
      return messageId;
    });
  }

  async #followUp(pending: Pending, message: MessageBody): Promise<string | null> {
    const { applicationId, token } = pending.head;
    const hidden = { ...message, fields: { ...message.fields, flags: MessageFlags.Ephemeral } };
    return this.#unlessGone(pending, async () => {
      const messageId = await this.#send("POST", Routes.webhook(applicationId, token), hidden);
      this.#answers.set(messageId, pending.head.id);
      return messageId;
    });
  }

  /** `null` when Discord no longer knows the interaction, and from then on. */
  async #unlessGone<Value>(pending: Pending, run: () => Promise<Value>): Promise<Value | null> {
    try {
      return await run();
    } catch (reason) {
      if (!isDiscordError(reason, ...gone)) throw reason;
      this.#pending.delete(pending.head.id);
      return null;
    }
  }

  async #send(method: "POST" | "PATCH" | "DELETE", route: `/${string}`, message: MessageBody | null): Promise<string> {
    const answer = await this.#api.call({
      method,
      route,
      what: "answer the interaction",
      hasToken: false,
      ...(message === null ? {} : { body: message.fields, files: message.files }),
      // Without it a webhook's post is answered before there is a message.
      ...(method === "POST" ? { query: new URLSearchParams({ wait: "true" }) } : {}),
    });
    return idOf(answer, "id") ?? "";
  }

  async #acknowledge({ id, token }: InteractionHead, body: unknown): Promise<boolean> {
    try {
      const route = Routes.interactionCallback(id, token);
      await this.#api.call({ method: "POST", route, what: "acknowledge the interaction", hasToken: false, body });
      return true;
    } catch (reason) {
      // An earlier generation has done it: the token still answers.
      if (isDiscordError(reason, discordCodes.alreadyAcknowledged)) return true;
      if (GatewayError.from(reason).code !== "adapter_unavailable") this.#onError(reason);
      return false;
    }
  }

  #stopTimer(id: string): void {
    this.#timers.get(id)?.[Symbol.dispose]();
    this.#timers.delete(id);
  }
}
