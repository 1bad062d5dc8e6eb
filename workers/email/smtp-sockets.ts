/** The sockets to the SMTP server: opened here and not by the library, so that each of them can be closed. */
import { connect, type Socket } from "node:net";
import { GatewayError } from "../../src/contract/errors.ts";
import { after } from "../../src/support/time.ts";
import type { MailServer } from "./account.ts";
import { loopbackLookup } from "./loopback-lookup.ts";

const connectTimeoutMs = 8_000;

/** What the library wants of its `getSocket`. */
type SocketCallback = (error: Error | null, options?: { readonly connection: Socket }) => void;

/** Every socket of one adapter. Disposing cuts them. */
export class SmtpSockets implements Disposable {
  readonly #server: MailServer;
  readonly #sockets = new Set<Socket>();
  #isOver = false;

  constructor(server: MailServer) {
    this.#server = server;
  }

  /** A connected socket, to this machine alone where nothing will be encrypted. */
  open(onOpened: SocketCallback): void {
    if (this.#isOver) return onOpened(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    const { host, port, encryption } = this.#server;
    const socket = connect({ host, port, ...(encryption === "none" ? { lookup: loopbackLookup() } : {}) });
    const timer = after(connectTimeoutMs, () =>
      socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
    );
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const onError = (reason: Error): void => {
      timer[Symbol.dispose]();
      onOpened(reason);
    };
    socket.once("error", onError);
    socket.once("connect", () => {
      timer[Symbol.dispose]();
      socket.off("error", onError);
      onOpened(null, { connection: socket });
    });
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}
