#!/usr/bin/env node
"use strict";
/**
 * The `bulkhead` command as npm links it. Any Node can run this file, however old: it hands over to a Node that is new enough,
 * this one or the one that came with the project. Hence no syntax and no API that is younger than Node 6 (no trailing comma in a call either).
 * Runs dist/ where it exists (`npm ci` builds it), else the sources; after an edit, `npm run prepare` builds again.
 */
var childProcess = require("child_process");
var fs = require("fs");
var path = require("path");

var wantedMajor = 24;
var wantedMinor = 15;
var launchedVariable = "BULKHEAD_LAUNCHED";

function isNewEnough(version) {
  var parts = version.replace(/^v/, "").split(".").map(Number);
  return parts[0] > wantedMajor || (parts[0] === wantedMajor && parts[1] >= wantedMinor);
}

/** Node strips no types under node_modules, so there only the build counts. */
function findProgram() {
  var built = path.join(__dirname, "..", "dist", "src", "cli.js");
  if (fs.existsSync(built)) return built;
  var isInstalled = __dirname.split(path.sep).indexOf("node_modules") !== -1;
  var source = path.join(__dirname, "cli.ts");
  return !isInstalled && fs.existsSync(source) ? source : null;
}

/** The package `node` beside this file, wherever npm hoisted it to. */
function findProjectNode() {
  var candidates = module.paths.map(function (folder) {
    return path.join(folder, "node", "bin", "node");
  });
  var found = candidates.filter(function (candidate) {
    return fs.existsSync(candidate);
  });
  return found.length === 0 ? null : found[0];
}

function refuse(sentence) {
  process.stderr.write("bulkhead: " + sentence + "\n");
  process.exitCode = 2;
}

function tooOld() {
  var wanted = "expected " + wantedMajor + "." + wantedMinor + " or newer (or run npm ci, which brings one along)";
  refuse("Node " + process.versions.node + " is too old, " + wanted);
}

function runWith(nodePath) {
  var environment = Object.assign({}, process.env);
  environment[launchedVariable] = "1";
  var child = childProcess.spawn(nodePath, [__filename].concat(process.argv.slice(2)), {
    stdio: "inherit",
    env: environment,
  });
  var isTerminal = Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  var isOver = false;
  ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"].forEach(function (signal) {
    process.on(signal, function () {
      // A terminal sends Ctrl-C to both of us; a second one from here would cut the drain short.
      var isSentToBoth = isTerminal && (signal === "SIGINT" || signal === "SIGQUIT");
      if (!isOver && !isSentToBoth) child.kill(signal);
    });
  });
  child.on("error", function () {
    tooOld();
  });
  child.on("exit", function (code, signal) {
    isOver = true;
    if (signal === null) {
      process.exit(code);
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** A checkout without node_modules gets a sentence; any other failure to load is a fault of ours and keeps its stack. */
function run(program) {
  try {
    require(program);
  } catch (reason) {
    if (reason === null || (reason.code !== "ERR_MODULE_NOT_FOUND" && reason.code !== "MODULE_NOT_FOUND")) throw reason;
    refuse(String(reason.message).split("\n")[0] + ", expected npm ci to have been run");
  }
}

function launch() {
  var program = findProgram();
  var projectNode;
  if (program === null) {
    refuse("dist/src/cli.js is missing, expected it to be built by npm ci");
    return;
  }
  if (isNewEnough(process.versions.node)) {
    delete process.env[launchedVariable];
    run(program);
    return;
  }
  // Once only: a project Node that is itself too old must not start itself for ever.
  projectNode = process.env[launchedVariable] === undefined ? findProjectNode() : null;
  if (projectNode === null) tooOld();
  else runWith(projectNode);
}

launch();
