/** One keep-alive HTTP/1.1 connection, as cheap as can be: the client's CPU time is taken from the gateway's on a small machine. */
import { connect, type Socket } from "node:net";

/** An answer; only `Content-Length` bodies, which is what our listeners send. */
export type HttpAnswer = { readonly status: number; readonly body: string };

const headEnd = "\r\n\r\n";

/** One request at a time. Opens itself, and again after it was closed. */
export class HttpConnection {
  readonly #port: number;
  #socket: Socket | null = null;
  #received = "";
  #answer: PromiseWithResolvers<HttpAnswer> | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** `request`: head and body, ASCII. Rejects when the connection fails. */
  send(request: string): Promise<HttpAnswer> {
    this.#answer = Promise.withResolvers<HttpAnswer>();
    this.#socket ??= this.#open();
    this.#socket.write(request, "latin1");
    return this.#answer.promise;
  }

  /** Ends it; the request under way is rejected. */
  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true }).setEncoding("latin1");
    this.#received = "";
    socket.on("data", (text: string) => this.#onData(text));
    socket.on("error", () => {});
    socket.once("close", () => {
      if (this.#socket === socket) this.#socket = null;
      this.#answer?.reject(new Error("The connection was closed"));
    });
    return socket;
  }

  #onData(text: string): void {
    this.#received = this.#received === "" ? text : this.#received + text;
    const bodyStart = this.#received.indexOf(headEnd) + headEnd.length;
    if (bodyStart < headEnd.length) return;
    const lengthStart = this.#received.indexOf("Content-Length: ") + "Content-Length: ".length;
    const length = Number.parseInt(this.#received.slice(lengthStart, lengthStart + 12), 10);
    if (this.#received.length < bodyStart + length) return;
    const answer = { status: Number(this.#received.slice(9, 12)), body: this.#received.slice(bodyStart) };
    this.#received = "";
    this.#answer?.resolve(answer);
  }
}

/** A POST with a JSON body of ASCII. */
export function formatPost(path: string, json: string): string {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${json.length}`;
  return `${head}${headEnd}${json}`;
}

/** A GET. */
export function formatGet(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1${headEnd}`;
}
