/** The words of a mail that has HTML alone. Runs in the MIME thread: how long it takes is up to whoever wrote the HTML. */
import { compile } from "html-to-text";

/** Characters. Senders stay below 102 kB, where large providers cut. Some shapes take time with the square of it. */
const longestHtml = 131_072;
const deepestNesting = 100;
const mostChildren = 10_000;

const convert = compile({
  wordwrap: false,
  limits: {
    // What is longer is cut before: the library says so on the console.
    maxInputLength: longestHtml,
    maxDepth: deepestNesting,
    maxChildNodes: mostChildren,
    ellipsis: "…",
  },
  selectors: [
    ...["head", "title", "script", "style", "template", "iframe", "object", "svg", "img"].map((selector) => ({
      selector,
      format: "skip",
    })),
    {
      selector: "a",
      options: { hideLinkHrefIfSameAsText: true, ignoreHref: false, linkBrackets: ["(", ")"] as [string, string] },
    },
    // Pages are laid out with them.
    { selector: "table", format: "block" },
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

/** `html` without its marks, scripts and styles; its beginning where it is very long. */
export function htmlText(html: string): string {
  return convert(html.slice(0, longestHtml));
}
