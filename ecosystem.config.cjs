"use strict";
/**
 * For pm2: `pm2 start ecosystem.config.cjs`. pm2 reads this file with whatever Node it runs on itself, so it is plain CommonJS.
 * The working directory is the one pm2 is started in, so that ./bulkhead.toml there is found.
 * No --max-old-space-size: on the command line it overrides the memory limit of every adapter's thread.
 */
var childProcess = require("child_process");
var fs = require("fs");
var path = require("path");

var wantedMajor = 24;
var wantedMinor = 15;

function isNewEnough(version) {
  var parts = version.trim().replace(/^v/, "").split(".").map(Number);
  return parts[0] > wantedMajor || (parts[0] === wantedMajor && parts[1] >= wantedMinor);
}

/** The Node that came with the project, wherever npm hoisted it to, if it runs here. */
function projectNode() {
  var candidates = module.paths.map(function (folder) {
    return path.join(folder, "node", "bin", "node");
  });
  var found = candidates.filter(function (candidate) {
    if (!fs.existsSync(candidate)) return false;
    var answer = childProcess.spawnSync(candidate, ["--version"], { encoding: "utf8", timeout: 10000 });
    return answer.status === 0 && isNewEnough(answer.stdout);
  });
  return found.length === 0 ? null : found[0];
}

function findInterpreter() {
  var found = projectNode();
  if (found !== null) return found;
  if (isNewEnough(process.versions.node)) return process.execPath;
  var wanted = "expected " + wantedMajor + "." + wantedMinor + " or newer";
  throw new Error("bulkhead: Node " + process.versions.node + " is too old, " + wanted);
}

var built = path.join(__dirname, "dist", "src", "cli.js");

module.exports = {
  apps: [
    {
      name: "bulkhead",
      script: fs.existsSync(built) ? built : path.join(__dirname, "src", "cli.ts"),
      args: "start",
      interpreter: findInterpreter(),
      exec_mode: "fork",
      instances: 1,
      wait_ready: true,
      listen_timeout: 30000,
      // Above [gateway] shutdown_timeout_ms, so that the drain is never cut short.
      kill_timeout: 20000,
      exp_backoff_restart_delay: 200,
      // The gateway reports by itself; pm2's own probes inside its process are not wanted.
      pmx: false,
    },
  ],
};
