/** Checks of what a rich message is made of: Discord would refuse the whole of it, and less clearly. Pure. */
import { GatewayError } from "../../src/contract/errors.ts";

/** `text` if it fits. Lengths are UTF-16 units, which are never fewer than Discord's. @throws {GatewayError} `invalid_request` naming `field`. */
export function checkText(
  text: string,
  field: string,
  length: { readonly least: number; readonly most: number },
): string {
  const { least, most } = length;
  if (text.length >= least && text.length <= most && (least === 0 || text.trim() !== "")) return text;
  throw wrong(field, `has ${text.trim() === "" ? 0 : text.length} characters`, `${least} to ${most}`);
}

/** `items` if there are not too few or too many. @throws {GatewayError} `invalid_request` naming `field`. */
export function checkCount<Item>(
  items: readonly Item[],
  field: string,
  count: { readonly least: number; readonly most: number },
): readonly Item[] {
  if (items.length >= count.least && items.length <= count.most) return items;
  throw wrong(field, `has ${items.length} items`, `${count.least} to ${count.most}`);
}

/** `url` if Discord opens it. @throws {GatewayError} `invalid_request` naming `field`. */
export function checkUrl(url: string, field: string): string {
  if (URL.canParse(url) && /^https?:/u.test(url) && url.length <= 2_048) return url;
  throw wrong(field, "is no http or https address", "one of at most 2048 characters");
}

/** The refusal of one part. Literal: `Cannot send the rich_message: cards[0].title has 300 characters, expected 1 to 256` */
export function wrong(field: string, found: string, expected: string): GatewayError {
  return new GatewayError("invalid_request", `Cannot send the rich_message: ${field} ${found}, expected ${expected}`);
}
