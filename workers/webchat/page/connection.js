/** The socket, again and again: it comes back by itself, and sends what is not confirmed until it is. */

const delays = { firstMs: 400, mostMs: 15_000 };
const readyTimeoutMs = 10_000;
const pingEveryMs = 20_000;
const pongTimeoutMs = 10_000;
/** The server gives up after 30 s. */
const acceptTimeoutMs = 45_000;
const deniedCode = 4401;

/**
 * @typedef {object} Handlers
 * @property {(state: "connecting" | "online" | "offline" | "denied") => void} onState
 * @property {(frame: { type: string, [field: string]: unknown }) => void} onFrame every frame but ready, accepted, rejected, denied, pong
 * @property {(message: import("./store.js").StoredMessage) => void} onMessage one of our own has changed
 * @property {(reason: string) => void} onDenied the token is missing or wrong
 */

/** Owns one socket at a time. */
export class Connection {
  #url;
  #store;
  #handlers;
  #socket = null;
  #isReady = false;
  #attempt = 0;
  #isDenied = false;
  /** Key of the message on its way; one at a time keeps their order. */
  #sending = null;
  #reconnectTimer = 0;
  #watchTimer = 0;
  #pingTimer = 0;
  #sendTimer = 0;

  /** @param {string} url @param {import("./store.js").Store} store @param {Handlers} handlers */
  constructor(url, store, handlers) {
    this.#url = url;
    this.#store = store;
    this.#handlers = handlers;
    addEventListener("online", () => this.reconnectNow());
    addEventListener("offline", () => this.#drop());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      if (this.#isReady) this.#ping();
      else this.reconnectNow();
    });
  }

  /** Connects at once unless it is connected. */
  reconnectNow() {
    if (this.#socket !== null) return;
    clearTimeout(this.#reconnectTimer);
    this.#connect();
  }

  /** With a new token. */
  retryDenied() {
    this.#isDenied = false;
    this.reconnectNow();
  }

  /** Sends what waits, if nothing is on its way. */
  flush() {
    if (!this.#isReady || this.#sending !== null) return;
    const next = this.#store.messages.find((message) => message.from === "me" && message.state === "sending");
    if (next === undefined) return;
    this.#sending = next.key;
    this.#send({ type: "message", clientId: next.key, text: next.text });
    clearTimeout(this.#sendTimer);
    this.#sendTimer = setTimeout(() => this.#drop(), acceptTimeoutMs);
  }

  /** Everything up to the store's cursor is kept here. */
  confirm() {
    if (this.#isReady) this.#send({ type: "ack", cursor: this.#store.cursor });
  }

  #connect() {
    if (this.#isDenied) return;
    this.#handlers.onState("connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#watch(readyTimeoutMs);
    socket.addEventListener("open", () =>
      this.#send({
        type: "hello",
        conversation: this.#store.conversation,
        after: this.#store.cursor,
        token: this.#store.token,
      }),
    );
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#onFrame(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#onClosed(event.code);
    });
  }

  #onFrame(frame) {
    clearTimeout(this.#watchTimer);
    switch (frame.type) {
      case "ready":
        this.#onReady();
        return;
      case "denied":
        this.#isDenied = true;
        this.#handlers.onDenied(frame.error.message);
        return;
      case "accepted":
        this.#settle(frame.clientId, { state: "sent" }, 0);
        return;
      case "rejected":
        if (frame.retryAfterMs === null)
          this.#settle(frame.clientId, { state: "failed", error: frame.error.message }, 0);
        else this.#settle(frame.clientId, {}, Math.max(200, frame.retryAfterMs));
        return;
      case "pong":
        return;
      default:
        this.#handlers.onFrame(frame);
    }
  }

  #onReady() {
    this.#isReady = true;
    this.#attempt = 0;
    clearInterval(this.#pingTimer);
    this.#pingTimer = setInterval(() => this.#ping(), pingEveryMs);
    this.#handlers.onState("online");
    this.flush();
  }

  #settle(key, change, nextInMs) {
    const changed = this.#store.update(key, change);
    if (changed !== null) this.#handlers.onMessage(changed);
    if (key !== this.#sending) return;
    clearTimeout(this.#sendTimer);
    const goOn = () => {
      this.#sending = null;
      this.flush();
    };
    if (nextInMs === 0) goOn();
    else this.#sendTimer = setTimeout(goOn, nextInMs);
  }

  #onClosed(code) {
    this.#socket = null;
    this.#isReady = false;
    this.#sending = null;
    clearTimeout(this.#watchTimer);
    clearTimeout(this.#sendTimer);
    clearInterval(this.#pingTimer);
    if (code === deniedCode || this.#isDenied) {
      this.#isDenied = true;
      this.#handlers.onState("denied");
      return;
    }
    this.#handlers.onState("offline");
    // Half of it is chance, so that a restarted server does not meet all of its pages at once.
    const delayMs = Math.min(delays.mostMs, delays.firstMs * 2 ** this.#attempt) * (0.5 + Math.random() / 2);
    this.#attempt = Math.min(this.#attempt + 1, 10);
    clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = setTimeout(() => this.reconnectNow(), delayMs);
  }

  #ping() {
    this.#send({ type: "ping" });
    this.#watch(pongTimeoutMs);
  }

  /** A dead network does not close a socket: whatever does not answer in time is given up. */
  #watch(timeoutMs) {
    clearTimeout(this.#watchTimer);
    this.#watchTimer = setTimeout(() => this.#drop(), timeoutMs);
  }

  #drop() {
    const socket = this.#socket;
    if (socket === null) return;
    this.#onClosed(1006);
    socket.close();
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}
