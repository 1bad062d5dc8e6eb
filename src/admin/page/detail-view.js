/** One adapter in full: what it has cost, what it has lost, what happened to it, and what can be done to it. */
import { button, element, showRows } from "./elements.js";
import { formatAge, formatBytes } from "./format.js";

const byId = (id) => document.getElementById(id);

/** Buttons are made once for each adapter that is chosen. @param {(path: string, done: string) => Promise<void>} order */
export function openDetail(key, order) {
  const path = `/v1/adapters/${encodeURIComponent(key)}`;
  byId("detail-title").textContent = key;
  byId("detail-actions").replaceChildren(
    button("Restart", () => order(`${path}/restart`, `${key} restarts`)),
    button("Pause", () => order(`${path}/pause`, `${key} is paused until it is resumed, over restarts too`)),
    button("Resume", () => order(`${path}/resume`, `${key} is resumed`)),
    button("Back into the shared host", () =>
      order(`${path}/restart?shared=true`, `${key} restarts in the shared host`),
    ),
  );
  byId("detail").hidden = false;
  byId("detail-title").focus();
}

/** @param {object} adapter of the status @param {object} status whole @param {readonly object[]} history oldest first */
export function showDetail(adapter, status, history) {
  const quarantine = status.hosts.find(
    ({ keys, quarantineReason }) => quarantineReason !== null && keys.includes(adapter.key),
  );
  const facts = Object.entries(factsOf(adapter, quarantine?.quarantineReason ?? null));
  byId("detail-facts").replaceChildren(
    ...facts.flatMap(([name, value]) => [element("dt", { text: name }), element("dd", { text: value })]),
  );
  const rows = history.toReversed().map(({ at, state, generation, reason, message }, index) => ({
    key: `${at} ${index}`,
    cells: [at, state, `${generation ?? ""}`, [reason === "none" ? null : reason, message].filter(Boolean).join(": ")],
  }));
  showRows(byId("history"), rows);
}

function factsOf(adapter, quarantineReason) {
  const { clocks, cpu, memory, messages, queue } = adapter;
  const ago = (at) => (at === null ? "never" : `${formatAge(at)} ago`);
  const causes = Object.entries(adapter.restartsByReason).map(([reason, count]) => `${reason} ${count}`);
  const sizes = `heap ${formatBytes(memory.heapBytes)}, external ${formatBytes(memory.externalBytes)}`;
  return {
    "What to do":
      adapter.userAction ?? (adapter.nextRetryAt === null ? "nothing" : "nothing: it is tried again by itself"),
    Message: adapter.message ?? "none",
    Platform: `${adapter.platform}, ${adapter.deliveryClass}, owner ${adapter.owner}`,
    Host:
      adapter.host === null
        ? "none"
        : `${adapter.host.kind}, process ${adapter.host.pid}, thread ${adapter.threadId ?? "none"}, isolation ${adapter.isolation}`,
    ...(quarantineReason === null ? {} : { "Why it is apart": quarantineReason }),
    Config: `generation ${adapter.generation ?? "none"}; obeys config ${adapter.observedGeneration} of ${adapter.desiredGeneration}`,
    "Last sign of life": `frame ${ago(clocks.frame)}, event ${ago(clocks.event)}, probe ${ago(clocks.probe)}`,
    Restarts: causes.length === 0 ? "none" : causes.join(", "),
    CPU: `${cpu.userSeconds.toFixed(1)} s user, ${cpu.systemSeconds.toFixed(1)} s system`,
    Memory: memory.rssBytes === null ? sizes : `${sizes}, its host ${formatBytes(memory.rssBytes)}`,
    Messages: `${messages.in} in, ${messages.out} out, ${messages.duplicates} duplicates, ${messages.lost} lost, ${messages.gapSeconds.toFixed(0)} s unheard`,
    Queue: `${queue.pending} waiting, ${queue.leased} in hand, ${queue.dead} dead`,
  };
}
