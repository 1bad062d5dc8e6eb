/** What a response becomes on a platform that does not show its kind: a text, nothing, or an honest refusal. */
import type { Capability } from "../contract/adapter.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Response, ResponseKind } from "../contract/response.ts";

/** Per response kind; what is left out is `fallback`. */
export type Capabilities = Readonly<Partial<Record<ResponseKind, Capability>>>;

type RichMessage = Extract<Response, { readonly kind: "rich_message" }>;
type Card = RichMessage["cards"][number];
type InteractiveElement = RichMessage["interactiveElements"][number];

/**
 * `response` in a form that the platform shows: itself where it is native, else a text. `null`: there is nothing to send,
 * such as a stream's start where its end comes as one text.
 * @throws {GatewayError} `unsupported_response` where no text says what it says.
 */
export function adaptResponse(response: Response, capabilities: Capabilities): Response | null {
  const capability = capabilities[response.kind] ?? "fallback";
  if (capability === "native") return response;
  if (capability === "none") throw unsupported(response.kind);
  const text = textOf(response);
  if (text === null) return null;
  if (text.trim() !== "") return { kind: "text", text };
  if (response.kind === "stream_end") return null;
  throw unsupported(response.kind);
}

/** Whether the platform can be sent this kind at all: known before anything is stored. */
export function isSupported(kind: ResponseKind, capabilities: Capabilities): boolean {
  if (kind === "reaction" || kind === "remove_reaction") return capabilities[kind] === "native";
  return capabilities[kind] !== "none";
}

/** The refusal for a kind that a platform has no honest form of. */
export function unsupported(kind: string): GatewayError {
  return new GatewayError(
    "unsupported_response",
    `Cannot send a response of kind ${kind}: this adapter has neither it nor a text that says the same`,
  );
}

/** `null`: it says nothing by itself. */
function textOf(response: Response): string | null {
  if (response.kind === "stream_start" || response.kind === "stream_chunk") return null;
  if (response.kind === "reaction" || response.kind === "remove_reaction") throw unsupported(response.kind);
  if (response.kind === "file") return joinBlocks([`[file: ${response.filename}]`, response.caption]);
  return response.kind === "rich_message" ? richText(response) : response.text;
}

function richText(message: RichMessage): string {
  return joinBlocks([
    message.text,
    ...message.cards.map(cardText),
    ...message.interactiveElements.map(elementText),
    message.poll === undefined ? undefined : pollText(message.poll),
  ]);
}

function cardText(card: Card): string {
  return joinBlocks([
    card.title,
    card.description,
    ...card.fields.map((field) => `${field.name}\n${field.value}`),
    card.footer?.text,
    card.author?.name,
    card.timestamp !== undefined && Number.isFinite(Date.parse(card.timestamp)) ? card.timestamp : undefined,
  ]);
}

function elementText(element: InteractiveElement): string {
  if (element.kind === "buttons")
    return element.buttons
      .map((button) => `- ${button.label}${button.url === undefined ? "" : `: ${button.url}`}`)
      .join("\n");
  const options = element.options.map(
    (option) => `- ${option.label}${option.description === undefined ? "" : `: ${option.description}`}`,
  );
  return [...(element.placeholder === undefined ? [] : [element.placeholder]), ...options].join("\n");
}

function pollText(poll: NonNullable<RichMessage["poll"]>): string {
  return [poll.question, ...poll.answers.map((answer, index) => `${index + 1}. ${answer}`)].join("\n");
}

function joinBlocks(blocks: readonly (string | undefined)[]): string {
  return blocks.filter((block) => block !== undefined && block.trim() !== "").join("\n\n");
}
