/** Files: out by Slack's three steps, in by an authenticated download from Slack's own hosts. */
import { unlink } from "node:fs/promises";
import { GatewayError } from "../../src/contract/errors.ts";
import { downloadToFile } from "../../src/support/download.ts";
import { apiBase, type SlackApi } from "./api.ts";
import { fieldsOf, numberOf, textOf } from "./fields.ts";
import type { HttpClient } from "./http-client.ts";
import type { Spot } from "./poster.ts";
import { missingScope, slackError } from "./slack-error.ts";
import { toMrkdwn } from "./mrkdwn.ts";

/** A file to show. */
export type OutgoingFile = { readonly filename: string; readonly bytes: Uint8Array; readonly caption: string };

/** What a file's bytes are fetched for. */
export type FileRequest = {
  /** Slack's id of the file. */
  readonly ref: string;
  readonly path: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
};

const uploadTimeoutMs = 15_000;
const downloadTimeoutMs = 60_000;
const slackHosts = ["slack.com", "slack-edge.com", "slack-files.com"];

/** Files of one adapter. */
export class Files {
  readonly #api: SlackApi;
  readonly #http: HttpClient;
  readonly #botToken: string;
  readonly #apiHost: string;

  constructor(parts: {
    readonly api: SlackApi;
    readonly http: HttpClient;
    readonly botToken: string;
    readonly apiUrl: string;
  }) {
    this.#api = parts.api;
    this.#http = parts.http;
    this.#botToken = parts.botToken;
    this.#apiHost = new URL(apiBase(parts.apiUrl)).hostname;
  }

  /** Uploads and shares `file`; resolves with its id. @throws {GatewayError} what the calls refuse. */
  async upload(spot: Spot, file: OutgoingFile): Promise<string> {
    if (file.bytes.length === 0)
      throw new GatewayError("message_rejected", "Cannot send the file: data has 0 bytes, expected some");
    const { filename, bytes, caption } = file;
    const ticket = await this.#api.call("files.getUploadURLExternal", { filename, length: bytes.length });
    const id = textOf(ticket["file_id"]);
    await this.#put(textOf(ticket["upload_url"]), bytes);
    await this.#api.call("files.completeUploadExternal", {
      files: [{ id, title: filename }],
      channel_id: spot.channel,
      ...(spot.threadTs === "" ? {} : { thread_ts: spot.threadTs }),
      ...(caption.trim() === "" ? {} : { initial_comment: toMrkdwn(caption) }),
    });
    return id;
  }

  /** Writes the file's bytes to `path`. @throws {GatewayError} `not_found`, `too_large`, `forbidden`, `timeout`. */
  async download({ ref, path, maxBytes, signal }: FileRequest): Promise<{ readonly sizeBytes: number }> {
    const file = fieldsOf((await this.#api.call("files.info", { file: ref }))["file"]);
    const url = textOf(file["url_private_download"]) || textOf(file["url_private"]);
    if (url === "") throw new GatewayError("not_found", "Cannot download the file: Slack has no address for it");
    const sizeBytes = numberOf(file["size"]);
    if (sizeBytes !== null && sizeBytes > maxBytes)
      throw new GatewayError("too_large", `Cannot download the file: found ${sizeBytes} bytes, allowed ${maxBytes}`);
    const saved = await downloadToFile({
      url,
      headers: { Authorization: `Bearer ${this.#botToken}` },
      isAllowedHost: (host) => this.#isSlackHost(host),
      path,
      maxBytes,
      timeoutMs: downloadTimeoutMs,
      signal,
    });
    // Without the scope Slack sends its sign-in page instead, and calls it a success.
    if (sizeBytes !== null && saved.sizeBytes !== sizeBytes) {
      await unlink(path);
      throw missingScope("files:read", "Cannot download the file");
    }
    return saved;
  }

  async #put(url: string, bytes: Uint8Array): Promise<void> {
    const parsed = URL.parse(url);
    if (parsed === null || !this.#isSlackHost(parsed.hostname))
      throw new GatewayError("platform_unavailable", "Cannot upload the file: Slack gave no address of its own");
    const method = "files.upload";
    try {
      const headers = { "Content-Type": "application/octet-stream" };
      const { status } = await this.#http.fetch(parsed, {
        method: "POST",
        headers,
        body: bytes,
        timeoutMs: uploadTimeoutMs,
      });
      // Nothing is shared yet, so this step may be done again.
      if (status !== 200) throw new GatewayError("platform_unavailable", `Cannot call ${method}: HTTP ${status}`);
    } catch (reason) {
      const error = slackError(reason, method);
      throw error.code === "timeout" ? new GatewayError("platform_unavailable", error.message) : error;
    }
  }

  #isSlackHost(host: string): boolean {
    return host === this.#apiHost || slackHosts.some((name) => host === name || host.endsWith(`.${name}`));
  }
}
