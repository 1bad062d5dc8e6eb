/** The admin API, asked from its own page. The token lives in this tab alone and goes out in a header alone. */

const callTimeoutMs = 15_000;
/** The server sends a comment every 15 s: silence for longer is a dead connection. */
const silenceTimeoutMs = 40_000;
const storageKey = "bulkhead-admin-token";

/** What the server answered instead of what was asked for. */
export class CallError extends Error {
  /** @param {number} status HTTP's, 0 when nothing came back @param {string} message @param {object | null} [body] */
  constructor(status, message, body = null) {
    super(message);
    this.name = "CallError";
    this.status = status;
    this.body = body;
  }
}

/** One gateway: this page's server. */
export class GatewayClient {
  #token = readToken();

  set token(token) {
    this.#token = token;
    writeToken(token);
  }

  /** The answer's JSON. `waitMs`: how much longer than usual it may take. Throws {@link CallError}. */
  async call(method, path, { waitMs = 0 } = {}) {
    const signal = AbortSignal.timeout(callTimeoutMs + waitMs);
    const answer = await this.#fetch(method, path, signal);
    const text = await answer.text().catch(() => "");
    const body = parseJson(text);
    if (answer.ok) return body;
    throw new CallError(answer.status, body?.error?.message ?? `The gateway answered ${answer.status}`, body);
  }

  /** Events as they come, those missed since `afterId` first. Ends with the connection; throws {@link CallError}. */
  async *events(afterId) {
    const silence = new AbortController();
    let timer = 0;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceTimeoutMs);
    };
    heard();
    try {
      const headers = afterId === null ? {} : { "Last-Event-ID": String(afterId) };
      const answer = await this.#fetch("GET", "/v1/events", silence.signal, headers);
      if (!answer.ok) throw new CallError(answer.status, `The gateway answered ${answer.status}`);
      let rest = "";
      for await (const chunk of chunksOf(answer.body.pipeThrough(new TextDecoderStream()))) {
        heard();
        const frames = (rest + chunk).split("\n\n");
        rest = frames.pop();
        yield* frames.map(parseFrame).filter((event) => event !== null);
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  async #fetch(method, path, signal, headers = {}) {
    try {
      return await fetch(path, {
        method,
        signal,
        cache: "no-store",
        headers: { ...headers, Authorization: `Bearer ${this.#token}` },
      });
    } catch {
      throw new CallError(0, "The gateway does not answer");
    }
  }
}

async function* chunksOf(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch {
    // The connection is over; whoever reads connects again.
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** One server-sent event; null for a comment. */
function parseFrame(frame) {
  const fields = new Map(
    frame.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
    }),
  );
  const data = parseJson(fields.get("data") ?? "");
  return data === null ? null : { id: Number(fields.get("id")), event: fields.get("event"), data };
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Of this tab only, so that it is forgotten with it. A browser may refuse storage altogether. */
function readToken() {
  try {
    return sessionStorage.getItem(storageKey) ?? "";
  } catch {
    return "";
  }
}

function writeToken(token) {
  try {
    sessionStorage.setItem(storageKey, token);
  } catch {
    // It is asked for again when the page is loaded again.
  }
}
