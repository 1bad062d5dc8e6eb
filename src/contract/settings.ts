/** What the built-in adapters get as `context.settings`: made and checked by the configuration, trusted in the thread. */

/** `[messaging.webhook]`. */
export type WebhookSettings = {
  readonly port: number;
  readonly bind: string;
  /** `""`: none. */
  readonly authToken: string;
  readonly signingSecret: string;
  /** A second; 0: off. */
  readonly rateLimitPerSender: number;
};

/** `[messaging.webchat]`. */
export type WebchatSettings = {
  readonly port: number;
  readonly bind: string;
  readonly authToken: string;
  /** Beside the page's own origin. */
  readonly allowedOrigins: readonly string[];
  readonly title: string;
  /** A second, with a burst of 20; 0: off. */
  readonly rateLimitPerSender: number;
};
