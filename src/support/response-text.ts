/** The plain text of a response, for pull platforms whose outbox has already turned what they lack into text. */
import type { Response } from "../contract/response.ts";

/** What can be read of `response` without pictures and buttons; `null` for a reaction, which no text stands for. */
export function responseText(response: Response): string | null {
  switch (response.kind) {
    case "text":
    case "thread_reply":
    case "ephemeral":
    case "scheduled_message":
    case "stream_chunk":
    case "stream_end":
      return response.text;
    case "file":
      return response.caption ?? "";
    case "stream_start":
      return "";
    case "rich_message":
      return richText(response);
    case "reaction":
    case "remove_reaction":
      break;
  }
  return null;
}

function richText(response: Extract<Response, { kind: "rich_message" }>): string {
  const cards = response.cards.map((card) =>
    [
      card.title,
      card.description,
      card.fields.map((field) => `${field.name}: ${field.value}`).join("\n"),
      card.url,
      card.footer?.text,
      card.author?.name,
      card.timestamp,
    ]
      .filter(isText)
      .join("\n\n"),
  );
  const elements = response.interactiveElements.map((element) =>
    element.kind === "buttons"
      ? element.buttons
          .map((button) => (button.url === undefined ? button.label : `${button.label}: ${button.url}`))
          .join("\n")
      : element.options.map((option) => option.label).join("\n"),
  );
  const poll = response.poll === undefined ? "" : [response.poll.question, ...response.poll.answers].join("\n");
  return [response.text, ...cards, ...elements, poll].filter(isText).join("\n\n");
}

function isText(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}
