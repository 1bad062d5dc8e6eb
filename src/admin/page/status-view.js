/** A status as the page shows it: what needs attention first, then adapters, hosts, consumers and the journal. */
import { button, element, showRows } from "./elements.js";
import { formatAge, formatBytes, formatSeconds, formatUntil, toneOf } from "./format.js";

const byId = (id) => document.getElementById(id);

/** @param {object} status of `GET /v1/status` @param {(key: string) => void} onSelect an adapter was chosen */
export function showStatus(status, onSelect) {
  const { coordinator, journal } = status;
  byId("summary").textContent = [
    `${status.version}, process ${status.pid}`,
    `up ${formatSeconds(status.uptimeSeconds)}`,
    `config ${status.configGeneration}`,
    `CPU ${coordinator.cpuPercent.toFixed(1)} %`,
    formatBytes(coordinator.rssBytes),
    `loop delay ${coordinator.eventLoopDelayP99Ms.toFixed(0)} ms`,
  ].join(" · ");
  showTrouble(status);
  showRows(byId("adapters"), status.adapters.map(adapterRow), (key, cell, index) => {
    if (index !== 0) return false;
    cell.append(button(key, () => onSelect(key), "link"));
    return true;
  });
  showRows(byId("hosts"), status.hosts.map(hostRow));
  showRows(byId("consumers"), status.consumers.map(consumerRow));
  byId("journal").textContent =
    `Journal: ${formatBytes(journal.bytes)} of ${formatBytes(journal.maxBytes)}, ${journal.pending} waiting, ` +
    `${journal.acked} handled, ${journal.dead} dead, durability ${journal.durability}`;
}

/** What a person has to know or do. A list that stays as it was is left alone, so that it is not read out again. */
function showTrouble({ conditions, adapters }) {
  const ofAdapters = adapters.flatMap((adapter) => troubleOf(adapter, conditions));
  const isSaid = ({ key, message }) => ofAdapters.some((item) => item.key === key && item.text.includes(message));
  const items = [
    ...conditions
      .filter((condition) => !isSaid(condition))
      .map(({ code, key, message }) => ({
        tone: code === "host_quarantine" || code === "restart_required" ? "waiting" : "bad",
        text: `${key === null ? "" : `${key}: `}${code}: ${message}`,
      })),
    ...ofAdapters,
  ];
  const shown = items.length === 0 ? [{ tone: "good", text: "Nothing." }] : items;
  const list = byId("trouble");
  const before = JSON.stringify([...list.children].map(({ dataset, textContent }) => [dataset.tone, textContent]));
  const after = JSON.stringify(shown.map(({ tone, text }) => [tone, text]));
  if (before !== after) list.replaceChildren(...shown.map((item) => element("li", item)));
}

function troubleOf({ key, state, reason, message, userAction }, conditions) {
  const tone = toneOf(state);
  if (tone === "good" || tone === "off") return [];
  // A condition about the same may say more, such as the line in the config.
  const fuller = conditions.find((each) => each.key === key && message !== null && each.message.includes(message));
  const why = [fuller?.message ?? message ?? (reason === "none" ? null : reason), userAction].filter(
    (part) => part !== null,
  );
  return tone === "bad" || why.length > 0
    ? [{ key, tone, text: `${key} is ${state}: ${why.join(". ") || reason}` }]
    : [];
}

function adapterRow(adapter) {
  const { cpu, eventLoop, host, memory, messages, queue } = adapter;
  const why = adapter.reason === "none" ? "" : ` (${adapter.reason})`;
  const retry = adapter.nextRetryAt === null ? "" : `, again ${formatUntil(adapter.nextRetryAt)}`;
  return {
    key: adapter.key,
    cells: [
      adapter.key,
      { text: `${adapter.state}${why}${retry}`, tone: toneOf(adapter.state) },
      formatAge(adapter.since),
      `${adapter.restarts}`,
      `${cpu.percent.toFixed(1)} %`,
      `${formatBytes(memory.heapBytes + memory.externalBytes)} of ${formatBytes(memory.limitBytes)}`,
      `${eventLoop.delayP99Ms.toFixed(0)} ms`,
      `${messages.in} / ${messages.out}`,
      `${queue.pending}`,
      host === null ? "none" : `${host.kind} ${host.pid}`,
    ],
  };
}

function hostRow(host) {
  return {
    key: `${host.pid}`,
    cells: [
      `${host.pid}`,
      host.kind,
      formatBytes(host.rssBytes),
      `${host.restarts}`,
      host.keys.join(", "),
      host.quarantineReason ?? "",
    ],
  };
}

function consumerRow(consumer) {
  return {
    key: consumer.name,
    cells: [
      consumer.name,
      consumer.kind,
      `${consumer.inFlight}`,
      `${consumer.pending}`,
      { text: `${consumer.dead}`, tone: consumer.dead > 0 ? "bad" : undefined },
      consumer.host === null ? "" : `${consumer.host}`,
    ],
  };
}
