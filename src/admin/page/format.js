/** Numbers and times as people read them. */

/** `45s`, `12m`, `3h`, `5d`. */
export function formatSeconds(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** How long ago an ISO time was. The two clocks may differ, so it is never below 0. */
export function formatAge(since, nowMs = Date.now()) {
  return formatSeconds(Math.max(0, (nowMs - Date.parse(since)) / 1000));
}

/** How long until an ISO time: `now` when it is past. */
export function formatUntil(at, nowMs = Date.now()) {
  const seconds = (Date.parse(at) - nowMs) / 1000;
  return seconds <= 0 ? "now" : `in ${formatSeconds(Math.ceil(seconds))}`;
}

/** `12.3 MiB`, `1.2 GiB`. */
export function formatBytes(bytes) {
  const mebibytes = bytes / (1024 * 1024);
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** `good`, `waiting`, `bad` or `off`: what a state means to a person. */
export function toneOf(state) {
  if (state === "running") return "good";
  if (state === "stopped" || state === "paused") return "off";
  return state === "needs_attention" || state === "unkillable" || state === "invalid" ? "bad" : "waiting";
}
