/** The page: asks for the status every two seconds and at every event, and passes orders on. */
import { showDeadLetters } from "./dead-letters-view.js";
import { openDetail, showDetail } from "./detail-view.js";
import { showEvent } from "./events-view.js";
import { CallError, GatewayClient } from "./gateway-client.js";
import { showPlan } from "./plan-view.js";
import { showStatus } from "./status-view.js";

const refreshMs = 2000;
const reconnectMs = 2000;
const reloadWaitSeconds = 60;

const byId = (id) => document.getElementById(id);
const client = new GatewayClient();
/** Key of the adapter that is shown in full. */
let selected = null;
let deadLetterCount = -1;
/** One refresh at a time; one more after it when something happened meanwhile. */
let isRefreshing = false;
let isStale = false;
let refreshTimer = 0;
/** Resolved by the first answer: until then there is nothing to listen to. */
const admitted = Promise.withResolvers();

byId("access-form").addEventListener("submit", (event) => {
  event.preventDefault();
  client.token = byId("token").value.trim();
  byId("token").value = "";
  byId("access").close();
  void refresh();
});
byId("plan").addEventListener("click", () => {
  void attempt(async () => showPlan(await client.call("GET", "/v1/plan")), "This is what it would do");
});
byId("reload").addEventListener("click", () => {
  void attempt(reload, "Reloaded");
});
document.addEventListener("visibilitychange", () => void refresh());

void refresh();
void followEvents();

async function refresh() {
  clearTimeout(refreshTimer);
  isStale = isRefreshing;
  if (isRefreshing) return;
  isRefreshing = true;
  try {
    await showAll();
    showConnection("online", "Connected");
    admitted.resolve();
  } catch (reason) {
    onRefused(reason);
  } finally {
    isRefreshing = false;
  }
  // A page that nobody looks at asks nothing, and asks at once when it is looked at again.
  if (isStale) void refresh();
  else if (document.visibilityState === "visible") refreshTimer = setTimeout(() => void refresh(), refreshMs);
}

async function showAll() {
  const status = await client.call("GET", "/v1/status");
  showStatus(status, select);
  if (status.journal.dead !== deadLetterCount) {
    const { deadLetters } = await client.call("GET", "/v1/dead-letters");
    showDeadLetters(deadLetters, {
      retry: (id) => attempt(() => client.call("POST", `${deadLetterPath(id)}/retry`), `${id} is tried again`),
      drop: (id) => attempt(() => dropDeadLetter(id), ""),
    });
    deadLetterCount = status.journal.dead;
  }
  const adapter = status.adapters.find(({ key }) => key === selected);
  if (adapter !== undefined) {
    const { history } = await client.call("GET", `/v1/adapters/${encodeURIComponent(adapter.key)}/history`);
    showDetail(adapter, status, history);
  } else if (selected !== null) {
    selected = null;
    byId("detail").hidden = true;
  }
}

function select(key) {
  selected = key;
  openDetail(key, (path, done) => attempt(() => client.call("POST", path), done));
  void refresh();
}

async function reload() {
  const path = `/v1/reload?wait=${reloadWaitSeconds}`;
  try {
    showPlan(await client.call("POST", path, { waitMs: reloadWaitSeconds * 1000 }));
  } catch (reason) {
    // A config that is refused as a whole: every error of it.
    if (reason.body?.errors !== undefined) showPlan({ actions: [], errors: reason.body.errors });
    throw reason;
  }
}

function deadLetterPath(id) {
  return `/v1/dead-letters/${encodeURIComponent(id)}`;
}

async function dropDeadLetter(id) {
  if (confirm(`Forget message ${id} for ever?`)) await client.call("DELETE", deadLetterPath(id));
}

/** Runs an order of the person at the page, and says what became of it. */
async function attempt(order, done) {
  byId("problem").textContent = "";
  byId("done").textContent = "";
  try {
    await order();
    byId("done").textContent = done;
  } catch (reason) {
    byId("problem").textContent = reason.message;
    onRefused(reason);
  }
  deadLetterCount = -1;
  await refresh();
}

/** Events for as long as the page is open. Each connection goes on where the last one ended. */
async function followEvents() {
  let lastId = null;
  await admitted.promise;
  for (;;) {
    try {
      for await (const event of client.events(lastId)) {
        lastId = event.id;
        showEvent(event);
        if (event.event === "state" || event.event === "condition") void refresh();
      }
    } catch {
      // The status says what is wrong; here it is enough to try again.
    }
    await new Promise((resolve) => {
      setTimeout(resolve, reconnectMs);
    });
  }
}

function onRefused(reason) {
  if (reason instanceof CallError && reason.status === 401) {
    showConnection("denied", "Token needed");
    if (!byId("access").open) byId("access").showModal();
    return;
  }
  showConnection("offline", `${reason.message}. What is shown may be old; trying again.`);
}

function showConnection(state, text) {
  const connection = byId("connection");
  connection.dataset.state = state;
  if (connection.textContent !== text) connection.textContent = text;
}
