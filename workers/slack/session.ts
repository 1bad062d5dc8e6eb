/** One life of the adapter whatever the transport: everything that both of them hear and answer with. */
import type { Logger } from "@slack/bolt";
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { SlackSettings } from "../../src/contract/settings.ts";
import { withDeadline } from "../../src/support/time.ts";
import type { Identity, SlackApi } from "./api.ts";
import { AssistantStatus } from "./assistant-status.ts";
import { catchUp } from "./catch-up.ts";
import { Channels } from "./channels.ts";
import { Directory } from "./directory.ts";
import { Files } from "./files.ts";
import { History } from "./history.ts";
import type { HttpClient } from "./http-client.ts";
import { Intake } from "./intake.ts";
import { Poster } from "./poster.ts";
import { Progress, type Heard } from "./progress.ts";
import { ResponseUrls } from "./response-urls.ts";
import { Responses } from "./responses.ts";
import { Whispers } from "./whispers.ts";

/** What a session is made of. */
export type SlackSessionOptions = {
  readonly context: AdapterContext<SlackSettings>;
  readonly api: SlackApi;
  readonly http: HttpClient;
  readonly identity: Identity;
  readonly logger: Logger;
};

/** For the last write of what was heard. */
const storeTimeoutMs = 300;

/** The parts of one adapter, joined. */
export class SlackSession implements AsyncDisposable {
  readonly intake: Intake;
  readonly responses: Responses;
  readonly status: AssistantStatus;
  readonly history: History;
  readonly files: Files;
  /** Rejects when Slack takes the app's tokens away. */
  readonly revoked: Promise<never>;
  readonly #context: AdapterContext<SlackSettings>;
  readonly #api: SlackApi;
  readonly #identity: Identity;
  readonly #progress: Progress;
  readonly #ended = new AbortController();
  #catchingUp: Promise<void> = Promise.resolve();
  #before: Heard | null = null;
  /** Gaps that are not closed yet: what is heard meanwhile does not count. */
  #openGaps = 0;

  constructor({ context, api, http, identity, logger }: SlackSessionOptions) {
    const { settings, log } = context;
    this.#context = context;
    this.#api = api;
    this.#identity = identity;
    const revoked = Promise.withResolvers<never>();
    this.revoked = revoked.promise;
    this.revoked.catch(() => {});
    this.#progress = new Progress(context.resume, (reason) =>
      log.debug("slack-progress-not-stored", { error: GatewayError.from(reason).message }),
    );
    const urls = new ResponseUrls();
    const channels = new Channels(api);
    const directory = new Directory(api);
    const whispers = new Whispers({ api, http, urls });
    this.status = new AssistantStatus(api, channels, (reason) =>
      log.debug("slack-status-not-shown", { error: GatewayError.from(reason).message }),
    );
    this.files = new Files({ api, http, botToken: settings.botToken, apiUrl: settings.apiUrl });
    this.history = new History({ api, channels, directory, identity });
    this.responses = new Responses({
      api,
      channels,
      files: this.files,
      poster: new Poster(api),
      status: this.status,
      whispers,
      onStreamError: (reason) => log.debug("slack-edit-failed", { error: GatewayError.from(reason).message }),
    });
    this.intake = new Intake({
      context,
      identity,
      directory,
      responseUrls: urls,
      logger,
      onAccepted: (post) => this.#progress.note(post),
      onRefused: (post) => this.#progress.refuse(post),
      onRevoked: () =>
        revoked.reject(
          new GatewayError("unauthorized", "Cannot go on: Slack says the app was uninstalled or its token revoked", {
            userAction: "Install the Slack app again and replace bot_token, then reload",
          }),
        ),
      whisper: (trigger, user, text) => whispers.answer(trigger, user, text),
    });
  }

  /** Reads what an earlier life had heard. */
  async load(): Promise<void> {
    const heard = await this.#progress.load();
    if (heard.aliveAt === "") return;
    this.#before = heard;
    this.#openGaps += 1;
    // From before the first event: what is heard live must not hide what was missed.
    this.#progress.freeze();
  }

  /** The transport stands. */
  begin(): void {
    this.#progress.begin();
    if (this.#before !== null) this.#close(this.#before, Date.now() / 1000 - Number(this.#before.aliveAt));
  }

  /** The connection is gone. */
  lost(): void {
    this.#progress.isAlive = false;
    this.#before = this.#progress.heard;
    this.#openGaps += 1;
    this.#progress.freeze();
  }

  /** It is back after `gapSeconds`. `isCovered`: Slack itself repeats what was said meanwhile. */
  regained(gapSeconds: number, isCovered: boolean): void {
    this.#progress.isAlive = true;
    const isComplete = isCovered && !this.#progress.isWaiting;
    if (isComplete || this.#before === null) this.#closed();
    else this.#close(this.#before, gapSeconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    this.responses[Symbol.dispose]();
    this.status[Symbol.dispose]();
    this.#progress[Symbol.dispose]();
    await withDeadline(this.#progress.store(), storeTimeoutMs, "Storing what was heard").catch(() => {
      // The next life then fetches a little more than it need.
    });
  }

  /** Fetches what was said in the gap; one gap after the other. */
  #close(heard: Heard, gapSeconds: number): void {
    this.#before = null;
    const { settings, log } = this.#context;
    if (!settings.catchUp) {
      if (gapSeconds > 0) this.#context.missed({ gapSeconds });
      this.#closed();
      return;
    }
    const options = {
      api: this.#api,
      teamId: this.#identity.teamId,
      accept: (post: Parameters<Intake["accept"]>[0], teamId: string) => this.intake.accept(post, teamId),
      missed: (report: Parameters<AdapterContext["missed"]>[0]) => this.#context.missed(report),
      log,
      signal: this.#ended.signal,
    };
    const before = this.#catchingUp;
    this.#catchingUp = this.#closeAfter(before, () => catchUp(heard, gapSeconds, options));
  }

  async #closeAfter(before: Promise<void>, run: () => Promise<void>): Promise<void> {
    await before;
    await run();
    // Ended in the middle, the gap stays where it was.
    if (!this.#ended.signal.aborted) this.#closed();
  }

  #closed(): void {
    this.#openGaps -= 1;
    if (this.#openGaps === 0) this.#progress.thaw();
  }
}
