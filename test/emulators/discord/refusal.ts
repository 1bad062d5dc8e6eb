/** How Discord's REST API says no. {@link https://discord.com/developers/docs/topics/opcodes-and-status-codes} */

/** An error answer. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, code: number, message: string, errors?: unknown) {
    super(message);
    this.status = status;
    this.body = { message, code, ...(errors === undefined ? {} : { errors }) };
  }
}

/** The form error of one field, such as `embeds.0.title`. */
export function invalidField(path: string, code: string, message: string): Refusal {
  const leaf: unknown = { _errors: [{ code, message }] };
  const errors = path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), leaf);
  return new Refusal(400, 50_035, "Invalid Form Body", errors);
}

export function notFound(
  what: "Channel" | "Message" | "Emoji" | "Webhook" | "User" | "Guild" | "Interaction",
): Refusal {
  const codes = {
    Channel: 10_003,
    Message: 10_008,
    Emoji: 10_014,
    Webhook: 10_015,
    User: 10_013,
    Guild: 10_004,
    Interaction: 10_062,
  };
  return new Refusal(what === "Emoji" ? 400 : 404, codes[what], `Unknown ${what}`);
}
