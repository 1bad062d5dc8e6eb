/** Conversations as channels: a channel's id is one, `dm:USER` is opened when it is first written to. */
import { Routes } from "discord.js";
import { GatewayError } from "../../src/contract/errors.ts";
import type { DiscordApi } from "./api.ts";
import type { Directory } from "./directory.ts";
import { idOf, isSnowflake } from "./payload.ts";

/** Finds the channel of each conversation. */
export class Places {
  readonly #api: DiscordApi;
  readonly #directory: Directory;
  /** Being opened now: one call for all that wait. */
  readonly #opening = new Map<string, Promise<string>>();

  constructor(api: DiscordApi, directory: Directory) {
    this.#api = api;
    this.#directory = directory;
  }

  /** @throws {GatewayError} `invalid_request` for what is no conversation of Discord's; what opening a direct one says. */
  async channelOf(conversation: string): Promise<string> {
    if (isSnowflake(conversation)) return conversation;
    const userId = /^dm:(?<userId>\d{1,20})$/iu.exec(conversation)?.groups?.["userId"];
    if (userId === undefined)
      throw new GatewayError(
        "invalid_request",
        `Cannot write to ${JSON.stringify(conversation.slice(0, 100))}: expected a channel's id or dm:USER`,
      );
    const known = this.#directory.directChannel(userId);
    if (known !== null) return known;
    const opening = this.#opening.get(userId) ?? this.#open(userId);
    this.#opening.set(userId, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(userId);
    }
  }

  async #open(userId: string): Promise<string> {
    const what = "open a direct conversation";
    const body = { recipient_id: userId };
    const channelId = idOf(await this.#api.call({ method: "POST", route: Routes.userChannels(), what, body }), "id");
    if (channelId === null) throw new GatewayError("platform_unavailable", `Cannot ${what}: the answer has no id`);
    this.#directory.observeDirect(channelId, userId);
    return channelId;
  }
}
