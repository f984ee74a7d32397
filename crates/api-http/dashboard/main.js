// Puts the page together: the connection feeds the model, changes mark views, the scheduler draws them.

import { getJson, onKeyNeeded } from "./api.js";
import { Chart, fromZero, percentScale } from "./chart.js";
import { serverNow } from "./clock.js";
import { Connection } from "./connection.js";
import { drawControls, setUpControls } from "./controls.js";
import { byId } from "./dom.js";
import { drawFailures, setUpFailures } from "./failures.js";
import { percent, rate } from "./format.js";
import { drawHistory, receiveTransition, reloadHistory, setHistoryConnection, setUpHistory } from "./history.js";
import { askAgain, askForKey, onKeyGiven } from "./key-dialog.js";
import { drawLog, receive as receiveLog, reload as reloadLog, setLogConnection, setUpLog, showLogOf } from "./log.js";
import { drawMarkets, setUpMarkets } from "./markets.js";
import { Model, totals } from "./model.js";
import { drawConnection, drawOverview, drawTitle } from "./overview.js";
import { Samples } from "./samples.js";
import { mark, view } from "./scheduler.js";
import { clearSearch, setUpSearch } from "./search.js";
import { onTab } from "./tabs.js";

/** Counters are read out of a status for the charts this often at most, also while the page is hidden. */
const SAMPLE_MILLIS = 1_000;
/** Without news for this long nothing moves, and the charts go on by themselves. */
const REST_MILLIS = 3_000;
/** A stream that has just begun says where the run is within this time, or else is helped. */
const FIRST_STATUS_MILLIS_MAX = 1_000;

const model = new Model();
const samples = new Samples();
let connection = { kind: "connecting" };
let lastNews = null;
let lastSample = 0;
let runSeen = null;

const rateChart = new Chart(byId("chart-rate"), { name: "Products finished", scale: fromZero, read: rate, readAxis: (value) => `${value.toLocaleString("en")} /s`, kind: "rate" });
const successChart = new Chart(byId("chart-success"), { name: "Success rate", scale: percentScale, read: percent, readAxis: (value) => `${value} %`, kind: "success" });

const views = {
  connection: view(() => drawConnection(connection, lastNews), { ticks: true }),
  overview: view(() => {
    drawOverview(model, samples);
    drawTitle(model.status(), connection.kind);
  }, { ticks: true }),
  controls: view(drawControls),
  markets: view(() => drawMarkets(model)),
  charts: view(() => {
    // At rest the server has nothing to say, and the time goes on all the same.
    if (isConnected() && model.status() !== null && Date.now() - lastSample >= REST_MILLIS) takeSample();
    rateChart.draw(samples.rates(), byId("chart-rate-note"));
    successChart.draw(samples.successes(), byId("chart-success-note"));
  }, { ticks: true }),
  failures: view(drawFailures, { ticks: true }),
  log: view(() => drawLog(model), { ticks: true }),
  history: view(drawHistory, { ticks: true }),
};

model.onChange(() => {
  lastNews = serverNow();
  if (Date.now() - lastSample >= SAMPLE_MILLIS) takeSample();
  for (const name of ["overview", "controls", "markets", "failures"]) mark(views[name]);
});

const isConnected = () => connection.kind === "live" || connection.kind === "polling";

function takeSample() {
  lastSample = Date.now();
  const status = model.status();
  const run = status.current_state.run_id;
  const { completed, failed } = totals(status);
  drawTitle(status, connection.kind);
  samples.take({ completed, failed, run, running: status.current_state.status === "PROCESSING" });
  if (run !== runSeen) {
    // Another run, or none after a reset: what was shown of the one before is gone.
    if (runSeen !== null) {
      reloadLog();
      clearSearch();
    }
    reloadHistory();
    runSeen = run;
  }
}

const live = new Connection({
  status: (status) => model.receive(status),
  transition: (transition) => receiveTransition(transition),
  log: (entry) => receiveLog(entry),
  connection: (now) => {
    connection = now;
    setLogConnection(now.kind);
    setHistoryConnection(now.kind);
    mark(views.connection);
    drawTitle(model.status(), now.kind);
    if (now.kind === "live") setTimeout(catchUp, FIRST_STATUS_MILLIS_MAX, lastNews);
  },
});

/** Asks for the state, unless the stream was faster. */
async function catchUp(newsBefore) {
  if (lastNews !== newsBefore) return;
  try {
    const status = await getJson("/api/cache/prices/status");
    if (lastNews === newsBefore) model.receive(status);
  } catch {
    // The connection notices by itself and says so.
  }
}

onKeyNeeded(askForKey);
onKeyGiven(() => live.retryNow());
setUpControls(model);
setUpFailures(model);
setUpMarkets({ onOpen: showLogOf, onChange: () => mark(views.markets) });
setUpLog(() => mark(views.log));
setUpHistory(() => mark(views.history));
setUpSearch();
onTab(() => { for (const name of ["failures", "log", "history"]) mark(views[name]); });
byId("banner-action").addEventListener("click", () => {
  if (connection.kind === "locked") askAgain(connection.sentence);
  else live.retryNow();
});
for (const registered of Object.values(views)) mark(registered);
live.run();
catchUp(null);
