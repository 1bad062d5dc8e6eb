/** The channel behind an address: direct messages have one that must be asked for. */
import { GatewayError } from "../../src/contract/errors.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import type { Address } from "./address.ts";
import type { SlackApi } from "./api.ts";
import { fieldsOf, textOf } from "./fields.ts";

const mostKept = 5_000;

/** The direct messages of one adapter. */
export class Channels {
  readonly #api: SlackApi;
  /** Channels of direct messages by user; they never change. */
  readonly #direct = new BoundedMap<string>(mostKept);

  constructor(api: SlackApi) {
    this.#api = api;
  }

  /** @throws {GatewayError} `not_found` and what else the call refuses. */
  async resolve(address: Address): Promise<string> {
    if (address.kind === "channel") return address.id;
    const known = this.#direct.get(address.id);
    if (known !== undefined) return known;
    const channel = textOf(
      fieldsOf((await this.#api.call("conversations.open", { users: address.id }))["channel"])["id"],
    );
    if (channel === "") throw new GatewayError("not_found", `Cannot send to dm:${address.id}: Slack opens no channel`);
    this.#direct.set(address.id, channel);
    return channel;
  }
}
