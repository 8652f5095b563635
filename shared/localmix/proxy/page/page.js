// What the proxy does, live. All that comes from elsewhere is set as text, never as HTML.

import { plot, short } from "./plot.js";

const get = (id) => document.getElementById(id);
// What was learned of a time that goes on, by the element that shows it.
const clocks = new Map();
let silence;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Keep one item for each thing, so that nobody loses the button they are at. */
function list(parent, things, key, make, update) {
  const kept = new Set(things.map((thing) => String(key(thing))));
  const items = new Map();
  for (const item of [...parent.children]) {
    if (kept.has(item.dataset.key)) items.set(item.dataset.key, item);
    else item.remove();
  }
  things.forEach((thing, index) => {
    const name = String(key(thing));
    const item = items.get(name) ?? make();
    item.dataset.key = name;
    update(item, thing);
    if (parent.children[index] !== item) parent.insertBefore(item, parent.children[index] ?? null);
  });
  const none = parent.nextElementSibling;
  if (none?.classList.contains("none")) none.hidden = things.length > 0;
}

/** Make an item with a line in two halves, and a softer one below. */
function lines() {
  const head = element("div", { class: "head" }, element("strong"), element("span"));
  return element("li", {}, head, element("p", { class: "soft" }));
}

function fill(item, title, aside, kind, about) {
  const [left, right] = item.firstElementChild.children;
  write(left, title);
  write(right, aside);
  right.className = kind;
  write(item.children[1], about);
}

const joined = (...parts) => parts.filter(Boolean).join(" · ");
const seconds = (number) => `${number < 10 ? number.toFixed(2) : number.toFixed(0)} s`;
const bytes = (number) => {
  if (!number) return "";
  return number >= 1e9 ? `${short(number / 1e9)} GB` : `${short(number / 1e6)} MB`;
};
const misses = (each) => each.misses.map((miss) => `${miss.server} failed (${miss.error})`).join(", then ");

function server(item, each) {
  const busy = each.in_flight ? `${each.in_flight} in flight` : "";
  const loaded = each.loaded.length ? `loaded: ${each.loaded.join(", ")}` : "";
  const name = each.url.endsWith(`//${each.name}`) ? "" : each.name;
  fill(item, each.url, each.state, `state ${each.state}`, joined(each.kind, each.version, name, busy, loaded, each.about));
}

function doing(item, each) {
  const where = each.server ? `${each.model} at ${each.server}` : "waits for a server";
  const phase = !each.server ? "queued" : each.has_spoken ? "answering" : "asked";
  fill(item, each.asked || "any model", "", "", joined(phase, where, each.reason, misses(each)));
  clocks.set(item.firstElementChild.children[1], each.began_at);
}

function done(item, each) {
  const speed = each.speed ? `${short(each.speed)} tokens/s` : "";
  const first = each.first_token ? `first token after ${seconds(each.first_token)}` : "";
  const tokens = each.tokens ? `${each.tokens} tokens` : "";
  const time = new Date(each.ended_at * 1000).toLocaleTimeString();
  const failed = each.misses.length ? `after ${misses(each)}` : "";
  const where = each.server ? `${each.model} at ${each.server}` : "";
  fill(item, each.asked || "any model", joined(each.outcome, seconds(each.seconds)), each.outcome,
    joined(where, each.reason, failed, each.error, tokens, speed, first, time));
}

function model(item, each, isReadOnly) {
  const isLoaded = each.places.some((place) => place.loaded);
  const window = each.context_length ? `window of ${each.context_length} tokens` : "";
  fill(item, each.name, isLoaded ? "loaded" : "", isLoaded ? "loaded" : "",
    joined(each.purpose, each.parameters, each.quantization, bytes(each.size_bytes), window));
  list(item.children[2], each.places, (place) => place.pinned, makePlace, (node, place) => {
    const [name, button] = node.children;
    const until = place.unload_at ? `until ${new Date(place.unload_at * 1000).toLocaleTimeString()}` : "";
    write(name, joined(place.name, `on ${place.server}`, place.loaded ? "in memory" : "not loaded", until));
    const what = place.loaded ? "Unload" : "Load";
    if (button.getAttribute("aria-busy") !== "true") write(button, what);
    button.setAttribute("aria-label", `${what} ${place.pinned}`);
    button.hidden = place.loaded && isReadOnly;
    button.onclick = () => move(button, place, each.purpose);
  });
}

function makePlace() {
  return element("li", {}, element("span", { class: "grow" }), element("button", { type: "button" }));
}

/** Load or unload a model, by the API that every program uses. */
async function move(button, place, purpose) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const what = place.loaded ? "unloaded" : "loaded";
  write(get("said"), `${place.pinned} is being ${what}…`);
  get("said").className = "";
  try {
    const body = { model: place.pinned, stream: false, ...(place.loaded ? { keep_alive: 0 } : {}) };
    const path = purpose === "embedding" ? "/api/embed" : "/api/generate";
    const reply = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error((await reply.json()).error);
    write(get("said"), `${place.pinned} is ${what}.`);
  } catch (error) {
    write(get("said"), `${place.pinned} could not be ${what}: ${error.message}`);
    get("said").className = "failed";
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted.length ? short(sorted[sorted.length >> 1]) : "–";
}

function show(state) {
  write(get("version"), state.version);
  const { servers, models, points, now, back } = state;
  clocks.clear();
  list(get("server-list"), servers, (each) => each.url, lines, server);
  list(get("doing"), state.doing, (each) => each.number, lines, doing);
  list(get("done"), state.done, (each) => each.number, lines, done);
  list(get("model-list"), models, (each) => each.name, makeModel, (item, each) => model(item, each, state.is_read_only));
  write(get("sum-servers"), String(servers.filter((each) => each.kind).length));
  write(get("sum-loaded"), String(servers.reduce((sum, each) => sum + each.loaded.length, 0)));
  write(get("sum-flight"), String(state.doing.length - state.queued));
  write(get("sum-queued"), String(state.queued));
  write(get("sum-speed"), median(points.map((each) => each.speed).filter(Boolean)));
  const values = (name) => points.filter((each) => each[name]).map((each) => [each.at, each[name]]);
  plot(get("plot-speed"), values("speed"), { now, back, unit: "tokens/s", about: "Tokens per second" });
  plot(get("plot-first"), values("first_token"), { now, back, unit: "s", about: "Time to the first token" });
  tick();
}

function makeModel() {
  const item = lines();
  item.append(element("ul", { class: "places" }));
  return item;
}

function tick() {
  for (const [node, began] of clocks) write(node, seconds(Math.max(Date.now() / 1000 - began, 0)));
}

function link(text, isLost) {
  write(get("link"), text);
  get("link").className = isLost ? "broken" : "available";
  document.body.classList.toggle("stale", isLost);
}

/** Listen while somebody looks: a page in the background costs the servers nothing. */
let source;
function listen() {
  source?.close();
  clearTimeout(silence);
  if (document.hidden) return;
  source = new EventSource("/localmix/events");
  source.onmessage = (event) => {
    link("Live", false);
    clearTimeout(silence);
    silence = setTimeout(() => link("The proxy is silent.", true), 25000);
    show(JSON.parse(event.data));
  };
  source.onerror = () => {
    link("The proxy does not answer; trying again.", true);
    // A browser gives up on some answers, such as 503.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

document.addEventListener("visibilitychange", listen);
setInterval(tick, 1000);
listen();
