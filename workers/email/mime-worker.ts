/** The entry of the MIME thread: a Piscina task per mail. */
import type { Mail } from "./mail.ts";
import { type ReadMailTask, readMail } from "./read-mail.ts";

export default function read(task: ReadMailTask): Promise<Mail> {
  return readMail(task);
}
