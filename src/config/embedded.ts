/** What runs where there is no config file: enough to open a page and get an answer. */

/** Web chat on 127.0.0.1:8788, a webhook on 127.0.0.1:18789, the echo consumer, state in `./data`, the admin API on 127.0.0.1:8787. */
export const embeddedConfig = {
  gateway: { state_dir: "./data" },
  admin: { listen: "127.0.0.1:8787" },
  consumers: [{ name: "main", builtin: "echo" }],
  messaging: {
    webchat: { bind: "127.0.0.1", port: 8788 },
    webhook: { bind: "127.0.0.1", port: 18_789 },
  },
} as const;
