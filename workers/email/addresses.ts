/** Mail addresses as they are compared and written: none of them can end a header or name a second person. */
import { domainToASCII } from "node:url";

/** Who a mail names. `address` is as it was written, checked by {@link isAddress}. */
export type MailAddress = { readonly name: string; readonly address: string };

/** https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3 less the angle brackets. */
const longestAddress = 254;
/**
 * Before the one `@` there is neither white space nor what separates addresses, so this cannot be read in two ways. Behind it there is
 * what a host's name has: `corp.example/y.evil.example` is a name too, of which whoever reads it as a URL takes the first half.
 */
const addressForm = /^[^\s@<>()[\],;:\\"\p{C}]+@[\p{L}\p{M}\p{Nd}._-]+$/u;

/** Whether mail can be sent to `text` as it stands. Quoted local parts are not taken. */
export function isAddress(text: string): boolean {
  return text.length <= longestAddress && addressForm.test(text);
}

/** The address in `ann@example.com` or `Ann <ann@example.com>`; `null`: there is none. */
export function addressIn(text: string): string | null {
  const open = text.endsWith(">") ? text.lastIndexOf("<") : -1;
  const address = open === -1 ? text : text.slice(open + 1, -1);
  return isAddress(address) ? address : null;
}

/** `Ann@Example.COM` as `ann@example.com`, an international domain in its ASCII form: what addresses are compared by. */
export function comparable(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, at).toLowerCase()}@${comparableDomain(address.slice(at + 1))}`;
}

/** The part behind the `@`, comparable. */
export function domainOf(address: string): string {
  return comparableDomain(address.slice(address.lastIndexOf("@") + 1));
}

/**
 * Whether `address` is on the list: `ann@example.com`, `@example.com` or `example.com` (that domain alone),
 * `*.example.com` (its subdomains), `*` (everyone). An empty list is everyone.
 */
export function isAllowed(address: string, list: readonly string[]): boolean {
  if (list.length === 0) return true;
  const sender = comparable(address);
  const domain = domainOf(address);
  return list.some((entry) => {
    if (entry === "*") return true;
    if (entry.lastIndexOf("@") > 0) return comparable(entry) === sender;
    const wanted = entry.startsWith("@") ? entry.slice(1) : entry;
    if (wanted.startsWith("*.")) return domain.endsWith(`.${comparableDomain(wanted.slice(2))}`);
    return domain === comparableDomain(wanted);
  });
}

function comparableDomain(domain: string): string {
  // What is ASCII already would be read as in a URL: `1` as the address 0.0.0.1. And `""` is no domain at all.
  const isForeign = /\P{ASCII}/u.test(domain);
  return (isForeign ? domainToASCII(domain) : "") || domain.toLowerCase();
}
