/** What no honest Slack sends. */
import type { EventsPusher } from "./events-pusher.ts";

const events: readonly unknown[] = [
  null,
  [],
  {},
  7,
  { type: "message" },
  { type: "message", channel: 7, ts: {} },
  { type: "message", channel: "C0GENERAL", ts: "not a moment", user: "U1", text: "x" },
  { type: "message", channel: "C0GENERAL", ts: "1.1", user: null, text: null },
  { type: "message", subtype: "message_changed", channel: "C0GENERAL", message: null },
  { type: "message", subtype: "message_deleted", channel: "C0GENERAL" },
  { type: "app_mention", channel: "C0GENERAL" },
  { type: "reaction_added", item: null, user: {} },
  { type: "no_such_event_type", anything: [null] },
  { type: "disconnected" },
  { type: "error" },
  { type: "close" },
];

/** Frames of a live connection. */
export function frameNonsense(): readonly (string | Buffer)[] {
  const envelope = (fields: Readonly<Record<string, unknown>>): string =>
    JSON.stringify({ envelope_id: "nonsense", type: "events_api", ...fields });
  return [
    "null",
    "[]",
    "7",
    "{}",
    "not json at all",
    "",
    Buffer.from([0, 255, 1, 254]),
    '{"type":"no_such_type"}',
    '{"type":"disconnected"}',
    '{"type":"error"}',
    '{"type":"close"}',
    '{"type":"ws_message"}',
    envelope({}),
    envelope({ payload: null }),
    envelope({ payload: "text" }),
    ...events.map((event) => envelope({ payload: { type: "event_callback", team_id: "T0TEAM", event } })),
    JSON.stringify({ envelope_id: "nonsense", type: "slash_commands", payload: {} }),
    JSON.stringify({ envelope_id: "nonsense", type: "slash_commands", payload: { command: 7 } }),
    JSON.stringify({
      envelope_id: "nonsense",
      type: "interactive",
      payload: { type: "block_actions", actions: [null] },
    }),
    JSON.stringify({ envelope_id: "nonsense", type: "interactive", payload: { type: "view_submission", view: null } }),
    JSON.stringify({ type: "no_such_type", padding: "x".repeat(2_000_000) }),
  ];
}

/** Requests to the app's address: unsigned, forged, old, and signed ones that say nothing. */
export async function requestNonsense(pusher: EventsPusher): Promise<void> {
  const old = String(Math.floor(Date.now() / 1000) - 1_000);
  await pusher.post('{"type":"event_callback"}', { "X-Slack-Signature": "v0=00" });
  await pusher.post('{"type":"event_callback"}', { "X-Slack-Signature": `v0=${"0".repeat(64)}` });
  await pusher.post("{}", { "X-Slack-Request-Timestamp": old, "X-Slack-Signature": pusher.sign(old, "{}") });
  await pusher.post("{}", { "X-Slack-Request-Timestamp": "now" });
  await pusher.post("{}", {}, "/elsewhere");
  for (const body of ["null", "[]", "7", "", "not json", `"${"x".repeat(2_000_000)}"`]) await pusher.post(body);
  for (const event of events) await pusher.post(JSON.stringify({ type: "event_callback", team_id: "T0TEAM", event }));
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  for (const body of [
    "payload=null",
    "payload=%7B",
    "command=x",
    "=&=&",
    "payload=%7B%22type%22%3A%22block_actions%22%7D",
  ])
    await pusher.post(body, form);
}
