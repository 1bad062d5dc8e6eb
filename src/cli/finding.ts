/** What an examination came to, as `doctor` prints it. */

/** One thing that was looked at. `userAction`: what a person can do about it. */
export type Finding = {
  readonly level: "ok" | "warning" | "problem";
  /** What was looked at: `config`, `disk`, `adapter slack`. */
  readonly subject: string;
  readonly message: string;
  readonly userAction: string | null;
};

/** All is well with `subject`. */
export function ok(subject: string, message: string): Finding {
  return { level: "ok", subject, message, userAction: null };
}

/** It works, and may not for long. */
export function warning(subject: string, message: string, userAction: string | null = null): Finding {
  return { level: "warning", subject, message, userAction };
}

/** Something does not work. */
export function problem(subject: string, message: string, userAction: string | null = null): Finding {
  return { level: "problem", subject, message, userAction };
}
