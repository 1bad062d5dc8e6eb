/** Messages as elements. Whatever comes from outside becomes text or a checked address, never markup. */
import { splitLinks } from "./links.js";

const pictureTypes = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/**
 * One message's element.
 * @param {import("./store.js").StoredMessage} message
 * @param {{ onRetry: (key: string) => void, isLive?: boolean }} options
 */
export function messageElement(message, { onRetry, isLive = false }) {
  const article = element("article", `message ${message.from === "me" ? "mine" : "theirs"}${isLive ? " live" : ""}`);
  article.dataset.key = message.key;
  article.append(element("span", "visually-hidden", message.from === "me" ? "You: " : "Reply: "));
  const bubble = element("div", "bubble");
  if (message.file !== undefined) bubble.append(fileElement(message.file));
  if (message.text !== "") appendText(bubble, message.text);
  article.append(bubble);
  if (!isLive) article.append(noteElement(message, onRetry));
  return article;
}

/** Shows in an element what became of its message. @param {Element} article */
export function showState(article, message, onRetry) {
  article.querySelector(".note")?.replaceWith(noteElement(message, onRetry));
}

/** Puts `text` into a live message in place of what it said before. @param {Element} article @param {string} text */
export function setLiveText(article, text) {
  const bubble = article.querySelector(".bubble");
  bubble.replaceChildren();
  appendText(bubble, text);
}

function appendText(parent, text) {
  for (const piece of splitLinks(text)) {
    if (piece.href === null) {
      parent.append(piece.text);
      continue;
    }
    const link = element("a", "", piece.text);
    link.href = piece.href;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    parent.append(link);
  }
}

function fileElement(file) {
  if (file.data === null) return element("span", "file", `${file.filename} (no longer kept here)`);
  const holder = element("div", "");
  if (pictureTypes.has(file.mimeType)) {
    const image = element("img", "");
    image.src = `data:${file.mimeType};base64,${file.data}`;
    image.alt = file.filename;
    holder.append(image);
  }
  const link = element("a", "file", file.filename);
  link.download = file.filename;
  link.href = "#";
  link.addEventListener("click", (event) => {
    event.preventDefault();
    download(file);
  });
  holder.append(link);
  return holder;
}

/** Always as a download: a page opened from a blob would run with this page's rights. */
function download(file) {
  const bytes = Uint8Array.from(atob(file.data), (character) => character.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const link = element("a", "");
  link.href = url;
  link.download = file.filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function noteElement(message, onRetry) {
  const isFailed = message.state === "failed";
  const note = element("div", `note${isFailed ? " failed" : ""}`);
  // Read when one goes there; a change of state is not worth an interruption.
  note.setAttribute("aria-live", "off");
  const time = element("time", "", new Date(message.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = new Date(message.at).toISOString();
  note.append(time);
  if (message.state !== undefined) note.append(element("span", "", stateText(message)));
  if (isFailed) {
    const retry = element("button", "", "Try again");
    retry.type = "button";
    retry.addEventListener("click", () => onRetry(message.key));
    note.append(retry);
  }
  return note;
}

function stateText(message) {
  if (message.state === "sending") return "Sending…";
  return message.state === "sent" ? "Sent" : `Not sent. ${message.error ?? ""}`;
}

/** An element with a class and a text. @param {string} tag @param {string} className @param {string} [text] */
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
