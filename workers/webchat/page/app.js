/** The page: joins what is remembered, the connection, and what is shown. */
import { Connection } from "./connection.js";
import { messageElement, setLiveText, showState } from "./message-view.js";
import { randomId, Store } from "./store.js";

const maxMessageBytes = 16_384;
/** A lost "stop typing" must not type for ever. */
const typingTimeoutMs = 30_000;
const connectionTexts = {
  connecting: "Connecting…",
  online: "Connected",
  offline: "Connection lost, trying again",
  denied: "Access token needed",
};

const byId = (id) => document.getElementById(id);
const scroller = byId("scroller");
const log = byId("log");
const stream = byId("stream");
const text = byId("text");
const shown = new Map();
let typingTimer = 0;

const store = new Store(openStorage(), `chat:${location.pathname}:`);
const socketUrl = new URL("ws", location.href);
socketUrl.protocol = location.protocol === "https:" ? "wss:" : "ws:";
socketUrl.search = "";
socketUrl.hash = "";

const connection = new Connection(socketUrl.href, store, {
  onState: showConnection,
  onFrame: (frame) => {
    if (frame.type === "entry") onEntry(frame.cursor, frame.response);
    else if (frame.type === "typing") showTyping(frame.on);
    else if (frame.type === "chunk" && store.isStreaming) showStream(frame.text);
  },
  onMessage: show,
  onDenied: askForToken,
});

showAll();
// What another tab stored: both show the same conversation.
addEventListener("storage", (event) => {
  if (store.owns(event.key)) showAll();
});
connection.reconnectNow();

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
});
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText();
});
text.addEventListener("input", fitText);
byId("access-form").addEventListener("submit", (event) => {
  event.preventDefault();
  store.token = byId("token").value;
  byId("token").value = "";
  byId("access").close();
  connection.retryDenied();
  text.focus();
});
byId("restart").addEventListener("click", () => {
  if (shown.size > 0 && !confirm("Forget this conversation in this browser and begin a new one?")) return;
  store.clear();
  location.reload();
});
byId("latest").addEventListener("click", () => {
  scrollToEnd();
  text.focus();
});
scroller.addEventListener("scroll", () => {
  if (isAtEnd()) byId("latest").hidden = true;
});
// A phone's keyboard takes room from below: the newest message stays in sight.
addEventListener("resize", () => {
  if (byId("latest").hidden) scrollToEnd();
});

function sendText() {
  const value = text.value.trim();
  if (value === "") return;
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > maxMessageBytes) {
    byId("problem").textContent = `This message is too long: ${bytes} of at most ${maxMessageBytes} bytes`;
    return;
  }
  byId("problem").textContent = "";
  text.value = "";
  fitText();
  show(store.put({ key: randomId(), from: "me", text: value, at: Date.now(), state: "sending" }));
  scrollToEnd();
  connection.flush();
}

function onEntry(cursor, response) {
  // Sent twice around a reconnect, or stored by another tab: shown once.
  if (cursor > store.cursor) {
    const isStart = response.kind === "stream_start";
    if (response.kind === "stream_end") response.text ||= streamedText();
    if (!isStart && (response.kind === "file" || response.text !== "")) addReply(cursor, response);
    store.passed(cursor, isStart || (store.isStreaming && response.kind !== "stream_end"));
    if (isStart || response.kind === "stream_end") stream.replaceChildren();
  }
  showTyping(response.kind === "stream_start");
  connection.confirm();
}

function addReply(cursor, response) {
  const reply = { key: `r${cursor}`, from: "them", text: response.text ?? response.caption ?? "", at: Date.now() };
  if (response.kind === "file")
    reply.file = { filename: response.filename, mimeType: response.mimeType, data: response.data };
  store.put(reply);
  show(reply);
}

/** Adds a message, or shows what became of one. */
function show(message) {
  const known = shown.get(message.key);
  if (message.state === "failed") byId("problem").textContent = `A message was not sent. ${message.error ?? ""}`;
  if (known !== undefined) {
    if (message.from === "me") showState(known, message, retry);
    return;
  }
  const wasAtEnd = isAtEnd();
  const made = messageElement(message, { onRetry: retry });
  const isSameSide = log.lastElementChild?.classList.contains("mine") === (message.from === "me");
  made.classList.toggle("follows", isSameSide);
  log.append(made);
  shown.set(message.key, made);
  byId("empty").hidden = true;
  keepInSight(wasAtEnd);
}

function showAll() {
  const messages = store.messages;
  const keys = new Set(messages.map((message) => message.key));
  for (const [key, known] of shown) {
    if (keys.has(key)) continue;
    known.remove();
    shown.delete(key);
  }
  const isFirst = shown.size === 0 && messages.length > 0;
  // The past is not news: a screen reader hears only what comes now.
  if (isFirst) log.setAttribute("aria-live", "off");
  for (const message of messages) show(message);
  if (isFirst) setTimeout(() => log.setAttribute("aria-live", "polite"), 500);
  byId("empty").hidden = messages.length > 0;
  if (!store.isStreaming) stream.replaceChildren();
  if (isFirst) scrollToEnd();
}

function retry(key) {
  byId("problem").textContent = "";
  const changed = store.update(key, { state: "sending", error: undefined });
  if (changed !== null) show(changed);
  text.focus();
  connection.flush();
}

function showStream(soFar) {
  const wasAtEnd = isAtEnd();
  showTyping(false);
  let live = stream.firstElementChild;
  if (live === null) {
    const message = { key: "live", from: "them", text: "", at: Date.now() };
    live = messageElement(message, { onRetry: () => {}, isLive: true });
    stream.append(live);
  }
  setLiveText(live, soFar);
  keepInSight(wasAtEnd);
}

function streamedText() {
  return stream.querySelector(".bubble")?.textContent ?? "";
}

function showTyping(isTyping) {
  const wasAtEnd = isAtEnd();
  clearTimeout(typingTimer);
  if (isTyping) typingTimer = setTimeout(() => showTyping(false), typingTimeoutMs);
  byId("typing").hidden = !isTyping;
  byId("activity").textContent = isTyping ? "A reply is being written" : "";
  if (wasAtEnd) scrollToEnd();
}

function showConnection(state) {
  const status = byId("connection");
  if (state !== "online") showTyping(false);
  // While it tries again, "connecting" would only flicker.
  if (state === "connecting" && status.dataset.state === "offline") return;
  status.dataset.state = state;
  status.textContent = connectionTexts[state];
}

function askForToken(reason) {
  byId("access-reason").textContent = reason;
  if (!byId("access").open) byId("access").showModal();
  byId("token").focus();
}

function fitText() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

function isAtEnd() {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
}

function keepInSight(wasAtEnd) {
  if (wasAtEnd) scrollToEnd();
  else byId("latest").hidden = false;
}

function scrollToEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  byId("latest").hidden = true;
}

/** Some browsers refuse storage to private windows. */
function openStorage() {
  try {
    localStorage.setItem("chat:probe", "");
    localStorage.removeItem("chat:probe");
    return localStorage;
  } catch {
    // Then the conversation lives as long as the tab.
    return null;
  }
}
