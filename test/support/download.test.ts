import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempDisposable, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { downloadToFile, type DownloadRequest } from "../../src/support/download.ts";

const secret = "bot-token-0123456789";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback and a folder to download into. */
class Rig implements AsyncDisposable {
  readonly requests: IncomingMessage[] = [];
  readonly server;
  readonly folder: string;
  readonly #removeFolder: () => Promise<void>;
  #port = 0;

  private constructor(answer: RequestListener, folder: string, removeFolder: () => Promise<void>) {
    this.folder = folder;
    this.#removeFolder = removeFolder;
    this.server = createServer((request, response) => {
      this.requests.push(request);
      answer(request, response);
    });
  }

  static async start(answer: Answer): Promise<Rig> {
    const folder = await mkdtempDisposable(join(tmpdir(), "download-"));
    const rig = new Rig(answer, folder.path, () => folder.remove());
    await once(rig.server.listen(0, "127.0.0.1"), "listening");
    rig.#port = (rig.server.address() as AddressInfo).port;
    return rig;
  }

  get path(): string {
    return join(this.folder, "file");
  }

  url(path = `/${secret}/file`, host = "127.0.0.1"): string {
    return `http://${host}:${this.#port}${path}`;
  }

  download(over: Partial<DownloadRequest> = {}): Promise<{ readonly sizeBytes: number }> {
    return downloadToFile({
      url: this.url(),
      headers: { Authorization: `Bearer ${secret}` },
      isAllowedHost: () => true,
      path: this.path,
      maxBytes: 1000,
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      ...over,
    });
  }

  /** Fails with `code`, names no secret, leaves no file and no socket. */
  async refuses(code: string, over: Partial<DownloadRequest> = {}): Promise<GatewayError> {
    const error = await this.download(over).then(
      () => assert.fail("it was downloaded"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof GatewayError, String(error));
    assert.equal(error.code, code, error.message);
    assert.doesNotMatch(JSON.stringify(error.toReport()) + String(error.cause), new RegExp(secret, "u"));
    assert.deepEqual(await readdir(this.folder), []);
    await this.allClosed();
    return error;
  }

  async allClosed(): Promise<void> {
    await Promise.all(
      this.requests.map(({ socket }) => (socket.destroyed ? Promise.resolve() : once(socket, "close"))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.#removeFolder();
  }
}

function redirect(location: string, status = 302): Answer {
  return (_request, response) => response.writeHead(status, { Location: location }).end("elsewhere");
}

/** Answers by path; anything else is the file. */
function routes(byPath: Readonly<Record<string, Answer>>): Answer {
  return (request, response) => {
    const answer = byPath[request.url ?? ""];
    if (answer === undefined) response.end("the file");
    else answer(request, response);
  };
}

describe("downloadToFile()", () => {
  it("writes the file for its owner alone, and says how long it is", async () => {
    await using rig = await Rig.start((_request, response) => response.end("x".repeat(1000)));
    assert.deepEqual(await rig.download(), { sizeBytes: 1000 });
    assert.equal(await readFile(rig.path, "utf8"), "x".repeat(1000));
    assert.equal((await stat(rig.path)).mode & 0o777, 0o600);
    assert.equal(rig.requests[0]?.headers.authorization, `Bearer ${secret}`);
    await rig.allClosed();
  });

  it("writes an empty file", async () => {
    await using rig = await Rig.start((_request, response) => response.end());
    assert.deepEqual(await rig.download(), { sizeBytes: 0 });
    assert.equal(await readFile(rig.path, "utf8"), "");
  });

  it("writes what comes in many pieces", async () => {
    const pieces = Array.from({ length: 200 }, (_, index) => `${index},`.repeat(1000));
    await using rig = await Rig.start((_request, response) => {
      for (const piece of pieces) response.write(piece);
      response.end();
    });
    await rig.download({ maxBytes: 10_000_000 });
    assert.equal(await readFile(rig.path, "utf8"), pieces.join(""));
  });

  for (const status of [301, 302, 303, 307, 308])
    it(`follows a ${status} on the same host with its headers`, async () => {
      await using rig = await Rig.start(routes({ [`/${secret}/file`]: redirect("../next?a=1", status) }));
      await rig.download();
      assert.equal(await readFile(rig.path, "utf8"), "the file");
      assert.deepEqual(
        rig.requests.map(({ url, headers }) => [url, headers.authorization]),
        [
          [`/${secret}/file`, `Bearer ${secret}`],
          ["/next?a=1", `Bearer ${secret}`],
        ],
      );
    });

  it("sends its headers to no other host that it is redirected to", async () => {
    await using other = await Rig.start((_request, response) => response.end("elsewhere"));
    await using rig = await Rig.start(redirect(other.url("/file", "localhost")));
    // Where `localhost` is IPv6 first, the connection falls back to the server's address.
    await rig.download();
    assert.equal(await readFile(rig.path, "utf8"), "elsewhere");
    assert.equal(other.requests[0]?.headers.authorization, undefined);
  });

  it("sends its headers to no other port", async () => {
    await using other = await Rig.start((_request, response) => response.end("elsewhere"));
    await using rig = await Rig.start(redirect(other.url("/file")));
    await rig.download();
    assert.equal(other.requests[0]?.headers.authorization, undefined);
  });

  it("follows at most five redirects", async () => {
    await using rig = await Rig.start((request, response) => {
      const count = Number(request.url?.slice(1) ?? 0);
      redirect(`/${count + 1}`)(request, response);
    });
    await rig.refuses("platform_unavailable", { url: rig.url("/0") });
    assert.equal(rig.requests.length, 6);
  });

  it("asks no host that is not allowed, neither first nor after a redirect", async () => {
    await using other = await Rig.start((_request, response) => response.end("elsewhere"));
    await using rig = await Rig.start(redirect(other.url("/file", "localhost")));
    const asked: string[] = [];
    const isAllowedHost = (host: string): boolean => {
      asked.push(host);
      return host === "127.0.0.1";
    };
    await rig.refuses("forbidden", { isAllowedHost });
    await rig.refuses("forbidden", { isAllowedHost: () => false });
    assert.deepEqual(asked, ["127.0.0.1", "localhost"]);
    assert.equal(other.requests.length, 0);
    assert.equal(rig.requests.length, 1);
  });

  for (const url of ["http://files.example/a", "ftp://127.0.0.1/a", "file:///etc/passwd"])
    it(`asks nothing of ${url}`, async () => {
      await using rig = await Rig.start(redirect(url));
      await rig.refuses("forbidden", { url });
      await rig.refuses("forbidden");
    });

  it("refuses what is no URL", async () => {
    await using rig = await Rig.start(redirect("http://["));
    await rig.refuses("platform_unavailable", { url: "/file" });
    await rig.refuses("platform_unavailable");
  });

  it("asks for no file that is announced as too large", async () => {
    await using rig = await Rig.start((_request, response) => {
      response.writeHead(200, { "Content-Length": "1001" }).flushHeaders();
    });
    await rig.refuses("too_large");
  });

  it("stops at the limit when the length was not announced", async () => {
    await using rig = await Rig.start((_request, response) => {
      response.write("x".repeat(600));
      response.write("x".repeat(600));
    });
    await rig.refuses("too_large");
  });

  for (const [status, code] of [
    [404, "not_found"],
    [410, "not_found"],
    [401, "forbidden"],
    [403, "forbidden"],
    [400, "platform_unavailable"],
    [429, "platform_unavailable"],
    [500, "platform_unavailable"],
    [304, "platform_unavailable"],
    [206, "platform_unavailable"],
  ] as const)
    it(`says ${code} for a ${status}`, async () => {
      await using rig = await Rig.start((_request, response) => response.writeHead(status).end());
      await rig.refuses(code);
    });

  it("says how long a platform wants to be left alone", async () => {
    await using rig = await Rig.start((_request, response) => response.writeHead(429, { "Retry-After": "7" }).end());
    assert.deepEqual((await rig.refuses("platform_unavailable")).retry, { kind: "after", delayMs: 7000 });
  });

  it("leaves no part of a file whose connection ends early", async () => {
    await using rig = await Rig.start((_request, response) => {
      response.writeHead(200, { "Content-Length": "100" });
      response.write("x".repeat(50), () => response.destroy());
    });
    await rig.refuses("platform_unavailable");
  });

  it("leaves no part of a file of unknown length whose connection ends early", async () => {
    await using rig = await Rig.start((_request, response) => {
      response.write("x".repeat(50), () => response.destroy());
    });
    await rig.refuses("platform_unavailable");
  });

  it("says that a server is not there", async () => {
    await using rig = await Rig.start(() => {});
    await new Promise((resolve) => void rig.server.close(resolve));
    assert.match((await rig.refuses("platform_unavailable")).message, /ECONNREFUSED/u);
  });

  it("leaves a file alone that was there before", async () => {
    await using rig = await Rig.start((_request, response) => response.end("the file"));
    await writeFile(rig.path, "mine");
    await assert.rejects(rig.download(), { code: "internal" });
    assert.equal(await readFile(rig.path, "utf8"), "mine");
    await rig.allClosed();
  });

  for (const [title, answer] of [
    ["before its first word", () => {}],
    [
      "in the middle of the file",
      (_request, response) => {
        response.write("x".repeat(50));
      },
    ],
  ] as const satisfies readonly (readonly [string, Answer])[]) {
    it(`ends in time with a server that hangs ${title}`, async () => {
      await using rig = await Rig.start(answer);
      await rig.refuses("timeout", { timeoutMs: 50 });
    });

    it(`ends when it is told to with a server that hangs ${title}`, async () => {
      await using rig = await Rig.start(answer);
      const ending = new AbortController();
      rig.server.on("request", () => ending.abort(new TypeError("no longer wanted")));
      await assert.rejects(rig.download({ signal: ending.signal }), new TypeError("no longer wanted"));
      await rig.allClosed();
      assert.deepEqual(await readdir(rig.folder), []);
    });
  }

  it("asks nothing when it was told to end before it began", async () => {
    await using rig = await Rig.start(() => {});
    await assert.rejects(rig.download({ signal: AbortSignal.abort(new TypeError("over")) }), new TypeError("over"));
    assert.equal(rig.requests.length, 0);
  });
});
