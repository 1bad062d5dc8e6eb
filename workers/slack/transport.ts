/** What both ways of hearing Slack have in common. */
import type { Logger } from "@slack/bolt";
import type { AdapterContext } from "../../src/contract/adapter.ts";
import type { SlackSettings } from "../../src/contract/settings.ts";
import type { HttpClient } from "./http-client.ts";
import type { SlackSession } from "./session.ts";

/** What a transport is started with. */
export type TransportOptions = {
  readonly context: AdapterContext<SlackSettings>;
  readonly http: HttpClient;
  readonly logger: Logger;
  readonly session: SlackSession;
};

/** A way of hearing Slack that stands. Disposing closes every socket of it. */
export interface Transport extends AsyncDisposable {
  /** Settles when it is over. */
  readonly closed: Promise<void>;
  /** @throws {GatewayError} `platform_unavailable` when nothing would be heard now. */
  probe(): Promise<void>;
}
