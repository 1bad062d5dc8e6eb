/** The config file's spelling of our names. */

/** `imapUseTls` as the config file writes it: `imap_use_tls`. */
export function configKey(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}
