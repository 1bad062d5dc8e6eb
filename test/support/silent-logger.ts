/** A logger that writes nothing. */
import type { Logger } from "../../src/support/logger.ts";

/** Says nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
