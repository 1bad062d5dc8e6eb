/** Mail servers have no field for how long to wait: where they say it, they say it in words. */

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const waitForm = /\b(?:in|after|for|wait|within)\s+(\d{1,5})\s*(s|m|h)(?:ec|in|our|r|\b)/iu;
const clockForm = /\b(?:in|after|for)\s+(\d{1,2}):(\d{2}):(\d{2})\b/iu;
const backoffForm = /backoff time:?\s*(\d{1,8})\s*milliseconds/iu;
const longestMs = 86_400_000;

/** The wait that a server's text asks for, such as `try again in 5 minutes`; `null`: it names none. */
export function waitNamedIn(text: string): number | null {
  const found = waitIn(text);
  return found === null ? null : Math.min(found, longestMs);
}

function waitIn(text: string): number | null {
  const backoff = backoffForm.exec(text);
  if (backoff !== null) return Number(backoff[1]);
  const clock = clockForm.exec(text);
  if (clock !== null) return (Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])) * 1000;
  const words = waitForm.exec(text);
  return words === null ? null : Number(words[1]) * (unitMs[(words[2] ?? "s").toLowerCase()] ?? 1_000);
}
