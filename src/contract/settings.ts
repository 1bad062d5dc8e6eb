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

/** `[messaging.discord]`. */
export type DiscordSettings = {
  readonly token: string;
  /** REST base, `""`: Discord's own. The gateway's address comes from it. */
  readonly apiUrl: string;
  readonly catchUp: boolean;
};

/** `[messaging.slack]`. A signing secret means HTTP mode. */
export type SlackSettings = {
  readonly botToken: string;
  readonly appToken: string;
  readonly signingSecret: string;
  readonly port: number;
  readonly bind: string;
  /** `""`: Slack's own. */
  readonly apiUrl: string;
  readonly catchUp: boolean;
};

/** `[messaging.telegram]`. A webhook URL means webhook mode. */
export type TelegramSettings = {
  readonly token: string;
  /** `""`: Telegram's own. */
  readonly apiUrl: string;
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  readonly port: number;
  readonly bind: string;
};

/** `[messaging.twitch]`. Client id, secret and refresh token are `""` where the token is not to be renewed. */
export type TwitchSettings = {
  /** The bot's login. */
  readonly username: string;
  /** Without `oauth:`. */
  readonly oauthToken: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  /** Logins of the channels' owners, without `#`. */
  readonly channels: readonly string[];
  /** `""`: Twitch's own. */
  readonly ircUrl: string;
  /** `""`: Twitch's own; none where `ircUrl` is another's. */
  readonly idUrl: string;
};

/** `[messaging.email]`. */
export type EmailSettings = {
  readonly imapHost: string;
  readonly imapPort: number;
  readonly imapUsername: string;
  /** `""`: there is a token instead. */
  readonly imapPassword: string;
  /** `false`: in the clear, to this machine alone. */
  readonly imapUseTls: boolean;
  readonly smtpHost: string;
  /** 465: TLS from the first byte; elsewhere STARTTLS. */
  readonly smtpPort: number;
  readonly smtpUsername: string;
  readonly smtpPassword: string;
  /** `false`: in the clear, to this machine alone. */
  readonly smtpUseStarttls: boolean;
  readonly fromAddress: string;
  /** `""`: none. */
  readonly fromName: string;
  /** In place of both passwords; `""`: none. */
  readonly oauth2AccessToken: string;
  readonly pollIntervalSecs: number;
  readonly folders: readonly string[];
  readonly markSeen: boolean;
};
