/** What people do in the workspace beside writing, as what Slack tells its app. */
import { nameOfEmoji } from "../../../src/support/emoji.ts";
import type { EmulatedPeople, HeardReaction } from "../../conformance/emulated-people.ts";
import { aliceUser, type Json, type SlackMessage, type Workspace } from "./workspace.ts";

/** How the app is told; `id` is what it is known by here. */
export type Telling = {
  readonly event: (id: string, event: Json) => void;
  readonly command: (id: string, fields: Readonly<Record<string, string>>) => void;
  readonly interaction: (id: string, fields: Json) => void;
  /** Resolves when the app has acknowledged it. */
  readonly acknowledged: (id: string) => Promise<void>;
};

type Place = { readonly channel: string; readonly message: SlackMessage };

/** The workspace's people. Slack knows one command of the app's; which words may follow it is for the app to know. */
export class SlackPeople implements EmulatedPeople {
  readonly #workspace: Workspace;
  readonly #tell: Telling;

  constructor(workspace: Workspace, tell: Telling) {
    this.#workspace = workspace;
    this.#tell = tell;
  }

  async edit(messageTs: string, text: string): Promise<string> {
    const { channel, message } = this.#place(messageTs);
    const previous = { ...message };
    const ts = this.#workspace.nextTs();
    Object.assign(message, { text, edited: { user: message.user, ts } });
    const change = { message: { ...message }, previous_message: previous };
    return this.#happened(ts, { ...changeIn(channel, ts), subtype: "message_changed", ...change });
  }

  async remove(messageTs: string): Promise<string> {
    const { channel, message } = this.#place(messageTs);
    this.#workspace.remove(channel, messageTs);
    const ts = this.#workspace.nextTs();
    const deletion = { deleted_ts: messageTs, previous_message: message };
    return this.#happened(ts, { ...changeIn(channel, ts), subtype: "message_deleted", ...deletion });
  }

  async react(messageTs: string, { emoji, isTaken }: HeardReaction): Promise<string> {
    const { channel, message } = this.#place(messageTs);
    return this.#happened(this.#workspace.nextTs(), {
      type: isTaken ? "reaction_removed" : "reaction_added",
      user: aliceUser,
      reaction: nameOfEmoji(emoji),
      item: { type: "message", channel, ts: messageTs },
      item_user: message.user,
    });
  }

  async press(messageTs: string, label: string): Promise<string> {
    const { channel, message } = this.#place(messageTs);
    const action = actionIn(message, label);
    if (action === null) throw new TypeError(`Cannot press ${label}: the message ${messageTs} shows no such thing`);
    const id = `trigger-${this.#workspace.nextTs()}`;
    this.#tell.interaction(id, {
      type: "block_actions",
      channel: { id: channel },
      container: { type: "message", message_ts: messageTs, channel_id: channel, is_ephemeral: false },
      message,
      actions: [action],
    });
    return id;
  }

  async command(name: string, options: Readonly<Record<string, string>>): Promise<string> {
    const id = `trigger-${this.#workspace.nextTs()}`;
    this.#tell.command(id, { command: "/bulkhead", text: [name, ...Object.values(options)].join(" ") });
    return id;
  }

  /** Until then Slack shows a turning wheel, and after three seconds that it failed. */
  answered(id: string): Promise<void> {
    return this.#tell.acknowledged(id);
  }

  #happened(ts: string, event: Json): string {
    this.#tell.event(ts, { ...event, event_ts: ts });
    return ts;
  }

  #place(ts: string): Place {
    for (const channel of this.#workspace.channels.keys()) {
      const message = this.#workspace.find(channel, ts);
      if (message !== undefined) return { channel, message };
    }
    throw new TypeError(`There is no message ${ts}`);
  }
}

function changeIn(channel: string, ts: string): Json {
  const kind = channel.startsWith("D") ? "im" : "channel";
  return { type: "message", hidden: true, channel, channel_type: kind, ts };
}

/** What Slack says of the button or option called `label`; `null`: the message has none. */
function actionIn(message: SlackMessage, label: string): Json | null {
  const blocks = (message["blocks"] ?? []) as readonly Json[];
  for (const [index, block] of blocks.entries())
    for (const element of (block["elements"] ?? []) as readonly Json[]) {
      const action = { ...element, block_id: block["block_id"] ?? `block-${index}` };
      if (element["type"] === "button" && textOf(element) === label) return action;
      const options = (element["options"] ?? []) as readonly Json[];
      const option = options.find((each) => textOf(each) === label);
      if (option !== undefined) return { ...action, selected_option: option };
    }
  return null;
}

function textOf(part: Json): unknown {
  return (part["text"] as Json | undefined)?.["text"];
}
