/** `[messaging.email]`: IMAP to read, SMTP to write. */
import { z } from "zod";
import { isLoopback } from "./loopback.ts";
import { definePlatform } from "./platform-table.ts";
import { integer, optionalReference, optionalSecret, reference, texts } from "./schema-parts.ts";

const shortestPollSeconds = 5;
const smallestBytes = 1024;
/** How far each of them was read is kept in one small record. */
const mostFolders = 30;
const longestFolderCharacters = 200;

/** A size that is raised to the least sensible one rather than refused. */
function bytes(fallback: number): z.ZodType<number, number | undefined> {
  return integer(0, Number.MAX_SAFE_INTEGER)
    .transform((size) => Math.max(size, smallestBytes))
    .default(fallback);
}

/** E-mail's keys. */
export const emailTable = definePlatform({
  platform: "email",
  shape: {
    imap_host: reference("IMAP host"),
    imap_port: integer(1, 65_535).default(993),
    imap_username: reference("IMAP user"),
    imap_password: optionalSecret("IMAP password; not needed with oauth2_access_token"),
    imap_use_tls: z.boolean().default(true).describe("false: only to loopback"),
    smtp_host: reference("SMTP host"),
    smtp_port: integer(1, 65_535).default(587),
    smtp_username: optionalReference("SMTP user; empty: imap_username"),
    smtp_password: optionalSecret("SMTP password; empty: imap_password"),
    smtp_use_starttls: z.boolean().default(true).describe("false: only to loopback"),
    from_address: optionalReference("sender address; empty: smtp_username"),
    from_name: optionalReference("sender name"),
    oauth2_access_token: optionalSecret("access token instead of passwords"),
    poll_interval_secs: integer(0, 86_400)
      .transform((seconds) => Math.max(seconds, shortestPollSeconds))
      .default(30),
    folders: z
      .array(z.string().max(longestFolderCharacters))
      .max(mostFolders)
      .default(["INBOX"])
      .transform((folders) => {
        const named = folders.map((folder) => folder.trim()).filter((folder) => folder !== "");
        return named.length === 0 ? ["INBOX"] : named;
      }),
    mark_seen: z.boolean().default(true),
    allowed_senders: texts("addresses, @domains, domains or *.domains for subdomains; empty: everyone"),
    max_body_bytes: bytes(262_144),
    max_attachment_bytes: bytes(10_485_760),
  },
  credentials: ["imap_host", "imap_username", "imap_password", "smtp_host", "oauth2_access_token"],
  environment: {
    imap_host: "EMAIL_IMAP_HOST",
    imap_username: "EMAIL_IMAP_USERNAME",
    imap_password: "EMAIL_IMAP_PASSWORD",
    smtp_host: "EMAIL_SMTP_HOST",
    smtp_username: "EMAIL_SMTP_USERNAME",
    smtp_password: "EMAIL_SMTP_PASSWORD",
    from_address: "EMAIL_FROM_ADDRESS",
    from_name: "EMAIL_FROM_NAME",
  },
  rules: [
    {
      needs: ["imap_password", "oauth2_access_token"],
      find: (fields) =>
        fields.imap_password === "" && fields.oauth2_access_token === ""
          ? { key: "imap_password", message: "missing, expected imap_password or oauth2_access_token" }
          : null,
    },
    {
      needs: ["imap_host", "imap_use_tls"],
      find: (fields) =>
        !fields.imap_use_tls && !isLoopback(fields.imap_host)
          ? { key: "imap_use_tls", message: "found false, expected true because imap_host is not loopback" }
          : null,
    },
    {
      needs: ["smtp_host", "smtp_use_starttls"],
      find: (fields) =>
        !fields.smtp_use_starttls && !isLoopback(fields.smtp_host)
          ? { key: "smtp_use_starttls", message: "found false, expected true because smtp_host is not loopback" }
          : null,
    },
  ],
  complete: (fields) => {
    const smtpUsername = fields.smtp_username || fields.imap_username;
    return {
      ...fields,
      smtp_username: smtpUsername,
      smtp_password: fields.smtp_password || fields.imap_password,
      from_address: fields.from_address || smtpUsername,
    };
  },
});
