/** Ends a host that must go: the others in it are told to move first. */
import { after, every } from "../support/time.ts";
import type { StartedHost } from "./start-host.ts";

const deadlineMs = 10_000;
const lookPeriodMs = 100;

/** `generation`: the unkillable one, 0 where there is none and the host is too large. What is left after ten seconds goes with it. */
export function clearOut(host: StartedHost, generation: number): void {
  const { connection } = host;
  const timers = new DisposableStack();
  const end = (): void => {
    timers.dispose();
    // A thread that cannot be ended ends with its process, and nothing may hold that up.
    if (connection.generations.length > 0) host.kill();
    else void host.end();
  };
  timers.use(after(deadlineMs, end));
  timers.use(
    every(
      lookPeriodMs,
      () => {
        if (connection.generations.every((resident) => resident === generation)) end();
      },
      () => {},
    ),
  );
  void host.gone.then(() => timers.dispose());
  connection.evacuate(generation, generation === 0 ? "too_large" : "unkillable");
}
