/** From what Slack delivers to what is on disk: admission, names, order, and once per event. */
import type { Logger } from "@slack/bolt";
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import { MinuteLog } from "../../src/support/minute-log.ts";
import { TimeoutError, withDeadline } from "../../src/support/time.ts";
import { admitsDeed, admitsPost, isOwn, type Deed } from "./admitted.ts";
import type { Identity } from "./api.ts";
import { BoltGate } from "./bolt-gate.ts";
import { findDetails, type DetailsRequest } from "./details.ts";
import type { Directory } from "./directory.ts";
import { fieldsOf, listOf, textOf, type Fields } from "./fields.ts";
import { InOrder } from "./in-order.ts";
import {
  commandOf,
  parseActions,
  parseCommand,
  parseShortcut,
  parseSubmission,
  responseUrlOf,
  type Interaction,
} from "./interaction.ts";
import { parsePost, parseReaction, type Post } from "./post.ts";
import type { ResponseUrls } from "./response-urls.ts";
import { resolveCommand, translateInteraction, usageText } from "./translate-interaction.ts";
import { translatePost, translateReaction } from "./translate-post.ts";

/** What the intake works with. */
export type IntakeOptions = {
  readonly context: Pick<AdapterContext, "emit" | "log" | "policy" | "missed">;
  readonly identity: Identity;
  readonly directory: Directory;
  readonly responseUrls: ResponseUrls;
  readonly logger: Logger;
  /** A message of a channel is on disk. */
  readonly onAccepted: (post: Post) => void;
  /** It is not, and may be when it comes again. */
  readonly onRefused: (post: Post) => void;
  /** Slack has taken the app's tokens away. */
  readonly onRevoked: () => void;
  /** Tells who asked for `trigger`, and nobody else. Never rejects. */
  readonly whisper: (trigger: string, user: string, text: string) => Promise<void>;
};

/** Slack tells who typed a command that it failed after 3 s. */
const commandTimeoutMs = 2_500;
/** Slack tells of one post up to twice within moments, and again for an hour where it was not acknowledged. */
const mostRemembered = 5_000;
const ignoredKinds = { mostKinds: 200, longestKind: 80 };
const nothing: Fields = {};
const slowText = "This takes longer than usual. If nothing comes of it, please try again.";
const failedText = "The command could not be stored and was not carried out. Please try again.";

/** One adapter's intake. */
export class Intake {
  /** Swapped in place; holds from the next event on. */
  policy: Policy;
  readonly ignored: MinuteLog;
  readonly #options: IntakeOptions;
  readonly #gate: BoltGate;
  readonly #order = new InOrder();
  readonly #remembered = new BoundedMap<Promise<void>>(mostRemembered);

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.policy = options.context.policy;
    const { log } = options.context;
    this.ignored = new MinuteLog(
      ({ kind, sinceLast }) => log.warn("slack-event-ignored", { kind, count: sinceLast }),
      ignoredKinds,
    );
    const { identity, logger } = options;
    this.#gate = new BoltGate({ identity, logger, handle: (body) => this.#handle(body) });
  }

  /**
   * Takes one body. Resolves with what the acknowledgement says once everything in it is on disk, or of no use.
   * @throws {GatewayError} when it was not accepted and must come again.
   */
  async receive(body: Fields): Promise<Fields> {
    const outcome = await this.#gate.pass(body);
    if (outcome.kind === "handled") return outcome.answer;
    this.ignored.note(textOf(body["type"]) || "malformed");
    return nothing;
  }

  /** Takes nothing, since too much waits already: the body is not acknowledged, and its message counts as unheard. */
  decline(body: Fields): void {
    this.ignored.note("over capacity");
    const event = fieldsOf(body["event"]);
    const post = isPost(event) ? parsePost(event) : null;
    const { identity, onRefused } = this.#options;
    const around = { policy: this.policy, identity };
    if (post !== null && admitsPost(post, textOf(body["team_id"]), around)) onRefused(post);
  }

  /** Takes one message, whichever way it was heard of. Resolves when it is on disk, or not for us. */
  async accept(post: Post, teamId: string): Promise<void> {
    const { identity, directory, onAccepted, onRefused } = this.#options;
    if (post.kind === "posted" && post.threadTs === "" && isOwn(post, identity))
      directory.knowThreadAuthor(post.channel, post.ts, identity.userId);
    if (!admitsPost(post, teamId, { policy: this.policy, identity })) return;
    const name = `${post.kind}/${post.channel}/${post.ts}/${post.revision}`;
    // The second event of one post, such as `app_mention`, waits for the first and says nothing new.
    try {
      await this.#once(name, () => this.#emit({ ...post, teamId }, (details) => translatePost(post, details)));
    } catch (reason) {
      if (GatewayError.from(reason).retry.kind !== "never") onRefused(post);
      throw reason;
    }
    onAccepted(post);
  }

  async #handle(body: Fields): Promise<Fields> {
    const event = fieldsOf(body["event"]);
    if (body["event"] !== undefined) return this.#handleEvent(event, textOf(body["team_id"]));
    if (body["command"] !== undefined) return this.#handleCommand(body);
    switch (textOf(body["type"])) {
      case "block_suggestion":
        return { options: [] };
      case "view_submission":
        return this.#handleDeeds(body, parseSubmission(body));
      case "shortcut":
      case "message_action":
        return this.#handleDeeds(body, parseShortcut(body));
      case "view_closed":
        return nothing;
      default:
        return this.#handleDeeds(body, ...parseActions(body));
    }
  }

  async #handleEvent(event: Fields, teamId: string): Promise<Fields> {
    const type = textOf(event["type"]);
    if (isPost(event)) {
      const post = parsePost(event);
      if (post !== null) await this.accept(post, teamId);
    } else if (type === "reaction_added" || type === "reaction_removed") await this.#handleReaction(event, teamId);
    else if (type === "app_uninstalled" || (type === "tokens_revoked" && hasBotToken(event))) this.#options.onRevoked();
    else this.ignored.note(type || "event");
    return nothing;
  }

  async #handleReaction(event: Fields, teamId: string): Promise<void> {
    const reaction = parseReaction(event);
    if (reaction === null) return;
    const { channel, user } = reaction;
    if (!this.#admitsDeed({ channel, user, teamId })) return;
    const request = { teamId, channel, user, threadTs: "", threadAuthor: "", text: "" };
    await this.#emit(request, (details) => translateReaction(reaction, details));
  }

  /** Clicks and forms. Where the journal is slow nothing is acknowledged, and Slack shows who clicked that it failed. */
  async #handleDeeds(body: Fields, ...deeds: readonly (Interaction | null)[]): Promise<Fields> {
    for (const deed of deeds) {
      if (deed === null) this.ignored.note("malformed interaction");
      else if (this.#admitsDeed(deed)) await this.#emitDeed(deed, body);
    }
    if (deeds.length === 0) this.ignored.note("malformed interaction");
    return nothing;
  }

  async #handleCommand(body: Fields): Promise<Fields> {
    const typed = commandOf(body);
    const declared = this.policy.commands;
    const command = resolveCommand(typed, declared);
    const deed = parseCommand(body, command ?? typed);
    if (deed === null) this.ignored.note("malformed command");
    if (deed === null || !this.#admitsDeed(deed)) return nothing;
    if (command === null) return whispered(usageText(typed, declared));
    const emitting = this.#emitDeed(deed, body);
    try {
      await withDeadline(emitting, commandTimeoutMs, "Storing the command");
      return nothing;
    } catch (reason) {
      if (!(reason instanceof TimeoutError)) throw reason;
      // Slack never sends a command again: who typed it is told instead.
      emitting.catch((failure: unknown) => this.#commandFailed(deed, failure));
      return whispered(slowText);
    }
  }

  #commandFailed(deed: Interaction, failure: unknown): void {
    this.#options.context.log.warn("slack-command-lost", { error: (failure as GatewayError).message });
    this.#options.context.missed({ messages: 1 });
    void this.#options.whisper(deed.trigger, deed.user, failedText);
  }

  async #emitDeed(deed: Interaction, body: Fields): Promise<void> {
    const url = responseUrlOf(body);
    if (url !== "") this.#options.responseUrls.add(deed.trigger, url, deed.user);
    const request = { ...deed, threadAuthor: "", threadTs: "", text: "" };
    await this.#emit(request, (details) => translateInteraction(deed, details));
  }

  async #emit(
    request: DetailsRequest,
    translate: (details: Awaited<ReturnType<typeof findDetails>>) => EmittedMessage,
  ): Promise<void> {
    const { directory, identity, context } = this.#options;
    await this.#order.run(
      request.channel || request.user,
      () => findDetails(request, directory, identity),
      (details) => context.emit(translate(details)),
    );
  }

  async #once(name: string, run: () => Promise<void>): Promise<void> {
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const running = run();
    this.#remembered.set(name, running);
    try {
      await running;
    } catch (reason) {
      // Not accepted: it comes again, and is then new.
      this.#remembered.delete(name);
      throw reason;
    }
  }

  #admitsDeed(deed: Deed): boolean {
    return admitsDeed(deed, { policy: this.policy, identity: this.#options.identity });
  }
}

function whispered(text: string): Fields {
  return { response_type: "ephemeral", text };
}

function hasBotToken(event: Fields): boolean {
  return listOf(fieldsOf(event["tokens"])["bot"]).length > 0;
}

function isPost({ type }: Fields): boolean {
  return type === "message" || type === "app_mention";
}
