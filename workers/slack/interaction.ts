/** What people do beside writing: slash commands, buttons and menus, forms, shortcuts. Parsed once. Pure. */
import { fieldsOf, isFields, listOf, textOf, type Fields } from "./fields.ts";

/** One deed. Literal: `{ kind: "interaction", id: "13.37", channel: "C01", user: "U1", text: "[interaction: ok → Yes]", … }` */
export type Interaction = {
  readonly kind: "command" | "interaction";
  /** Slack's trigger id, with `:1` and so on for further ones of the same click. */
  readonly id: string;
  /** What a private answer is found by: the trigger's id. */
  readonly trigger: string;
  /** `""`: it happened in none, such as a form opened from the app's home. */
  readonly channel: string;
  readonly user: string;
  readonly userName: string;
  /** `""`: not said. */
  readonly teamId: string;
  /** Of the message it was done to; `""`: none. */
  readonly ts: string;
  readonly threadTs: string;
  readonly text: string;
  readonly metadata: Readonly<Record<string, unknown>>;
};

/** What was chosen, in Slack's order, and how it is called on the screen. */
export type Chosen = { readonly values: readonly string[]; readonly label: string };

/** A slash command's body. */
export type SlashCommand = { readonly name: string; readonly rest: string };

/** The command and its words: `/deploy prod now` is `deploy` and `prod now`. */
export function commandOf(body: Fields): SlashCommand {
  return { name: textOf(body["command"]).replace(/^\//u, ""), rest: textOf(body["text"]).trim() };
}

/** A slash command as `name` with `rest`, which may be a declared command that its first word named. */
export function parseCommand(body: Fields, command: SlashCommand): Interaction | null {
  const trigger = textOf(body["trigger_id"]);
  const user = textOf(body["user_id"]);
  if (trigger === "" || user === "" || textOf(body["command"]) === "") return null;
  return {
    kind: "command",
    id: trigger,
    trigger,
    channel: textOf(body["channel_id"]),
    user,
    userName: textOf(body["user_name"]),
    teamId: textOf(body["team_id"]),
    ts: "",
    threadTs: textOf(body["thread_ts"]),
    text: `/${command.name}${command.rest === "" ? "" : ` ${command.rest}`}`,
    metadata: { slack_command: textOf(body["command"]), command_name: command.name, command_args: command.rest },
  };
}

/** Clicks and choices: one per action. */
export function parseActions(body: Fields): readonly Interaction[] {
  const base = baseOf(body);
  if (base === null) return [];
  return listOf(body["actions"]).flatMap((action, index): readonly Interaction[] => {
    if (!isFields(action)) return [];
    // Forms of before blocks have names where blocks have ids.
    const actionId = textOf(action["action_id"]) || textOf(action["name"]) || textOf(body["callback_id"]);
    if (actionId === "") return [];
    const chosen = chosenIn(action);
    const blockId = textOf(action["block_id"]);
    return [
      {
        ...base,
        id: index === 0 ? base.id : `${base.id}:${index}`,
        text: interactionText(actionId, chosen),
        metadata: {
          ...base.metadata,
          slack_action_id: actionId,
          slack_block_id: blockId,
          slack_action_type: textOf(action["type"]),
          action_id: actionId,
          block_id: blockId,
          values: chosen.values,
          label: chosen.label,
          message_ts: base.ts,
        },
      },
    ];
  });
}

/** A form that was sent. Its values are keyed by block and action, and listed in one row as well. */
export function parseSubmission(body: Fields): Interaction | null {
  const view = fieldsOf(body["view"]);
  const base = baseOf(body);
  const viewId = textOf(view["id"]);
  if (base === null || viewId === "") return null;
  const blocks = Object.entries(fieldsOf(fieldsOf(view["state"])["values"]));
  const byBlock = blocks.map(([block, actions]): [string, Readonly<Record<string, readonly string[]>>] => [
    block,
    Object.fromEntries(Object.entries(fieldsOf(actions)).map(([id, value]) => [id, chosenIn(fieldsOf(value)).values])),
  ]);
  const values = byBlock.flatMap(([, actions]) => Object.values(actions).flat());
  const actionId = textOf(view["callback_id"]) || viewId;
  const [responseTo] = listOf(body["response_urls"]);
  return {
    ...base,
    channel: textOf(fieldsOf(responseTo)["channel_id"]),
    text: interactionText(actionId, { values, label: "" }),
    metadata: {
      ...base.metadata,
      slack_view_id: viewId,
      slack_view_values: Object.fromEntries(byBlock),
      slack_private_metadata: textOf(view["private_metadata"]),
      slack_action_id: actionId,
      slack_action_type: "view_submission",
      action_id: actionId,
      block_id: "",
      values,
      label: "",
      message_ts: "",
    },
  };
}

/** A shortcut, of the whole workspace or of a message. */
export function parseShortcut(body: Fields): Interaction | null {
  const base = baseOf(body);
  const actionId = textOf(body["callback_id"]);
  if (base === null || actionId === "") return null;
  return {
    ...base,
    text: interactionText(actionId, { values: [], label: "" }),
    metadata: {
      ...base.metadata,
      slack_action_id: actionId,
      slack_action_type: textOf(body["type"]),
      action_id: actionId,
      block_id: "",
      values: [],
      label: "",
      message_ts: base.ts,
    },
  };
}

/** Where Slack lets an answer be sent that only who asked can see; `""`: nowhere. It works without a token: a secret. */
export function responseUrlOf(body: Fields): string {
  const [first] = listOf(body["response_urls"]);
  return textOf(body["response_url"]) || textOf(fieldsOf(first)["response_url"]);
}

/** What an element holds, whichever of Slack's kinds it is. */
export function chosenIn(action: Fields): Chosen {
  const options = [action["selected_option"], ...listOf(action["selected_options"])].filter(isFields);
  if (options.length > 0)
    return {
      values: options.map((option) => textOf(option["value"])),
      label: options.map((option) => textOf(fieldsOf(option["text"])["text"]) || textOf(option["label"])).join(", "),
    };
  const values = [
    ...["selected_user", "selected_conversation", "selected_channel", "selected_date", "selected_time"].map(
      (name) => action[name],
    ),
    action["selected_date_time"],
    ...["selected_users", "selected_conversations", "selected_channels"].flatMap((name) => listOf(action[name])),
    ...listOf(action["files"]).map((file) => fieldsOf(file)["id"]),
    isFields(action["rich_text_value"]) ? JSON.stringify(action["rich_text_value"]) : undefined,
    action["value"],
  ].flatMap(asText);
  return { values, label: textOf(fieldsOf(action["text"])["text"]) };
}

function asText(value: unknown): readonly string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  return typeof value === "number" ? [String(value)] : [];
}

function interactionText(actionId: string, chosen: Chosen): string {
  const what = chosen.label || chosen.values.join(", ");
  return `[interaction: ${actionId}${what === "" ? "" : ` → ${what}`}]`;
}

/** What all of them say; `null`: a malformed one. */
function baseOf(body: Fields): Interaction | null {
  const trigger = textOf(body["trigger_id"]);
  const user = fieldsOf(body["user"]);
  const userId = textOf(user["id"]);
  if (trigger === "" || userId === "") return null;
  const container = fieldsOf(body["container"]);
  const message = fieldsOf(body["message"]);
  const ts = textOf(message["ts"]) || textOf(container["message_ts"]);
  const threadTs = textOf(message["thread_ts"]) || textOf(container["thread_ts"]);
  return {
    kind: "interaction",
    id: trigger,
    trigger,
    channel: textOf(fieldsOf(body["channel"])["id"]) || textOf(container["channel_id"]),
    user: userId,
    userName: textOf(user["username"]) || textOf(user["name"]),
    teamId: textOf(fieldsOf(body["team"])["id"]) || textOf(user["team_id"]),
    ts,
    threadTs: threadTs === ts ? "" : threadTs,
    text: "",
    metadata: {},
  };
}
