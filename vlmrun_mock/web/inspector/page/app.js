// The page: what is shown is in the address, what happens comes live, and the keyboard works as in the tools people know.
import { $, h, toast } from "./dom.js";
import * as data from "./data.js";
import * as list from "./list.js";
import { detail } from "./detail.js";
import { editor } from "./editor.js";
import { showState } from "./state.js";

const KEYS = [["j  k", "next and previous request"], ["Enter", "go to the request"], ["f", "make a fixture of it"], ["/", "search"], ["p", "pause"], ["s", "state"], ["Esc", "back"], ["?", "this help"]];
let turn = 0;
let isState = false;

const params = () => new URLSearchParams(location.hash.slice(1));

function setParams(change, push = false) {
  const next = params();
  for (const [name, value] of Object.entries(change)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const hash = `#${next}`;
  if (hash !== location.hash) history[push ? "pushState" : "replaceState"](null, "", hash);
}

async function choose(id, push = true) {
  if (!id) return close();
  setParams({ id, view: "" }, push);
  list.setChosen(id);
  show(false);
  const mine = ++turn;
  let told;
  try {
    told = await data.json(`requests/${encodeURIComponent(id)}`);
  } catch (error) {
    if (mine === turn) $("detail").replaceChildren(h("p", { class: "note" }, error.message));
    return;
  }
  if (mine !== turn) return;
  $("detail").replaceChildren(detail(told, { tab: params().get("tab") || "answer", onTab: (tab) => setParams({ tab: tab === "answer" ? "" : tab }), onClose: close }));
  document.body.classList.add("chosen");
}

function close() {
  turn += 1;
  setParams({ id: "", tab: "" });
  list.setChosen(null);
  document.body.classList.remove("chosen");
  $("detail").replaceChildren(nothingChosen());
  $("rows").focus();
}

const nothingChosen = () => h("div", { class: "nothing-chosen" }, h("p", null, "Choose a request to see its document, its answer and the reason."), h("dl", null, KEYS.flatMap(([key, what]) => [h("dt", null, h("kbd", null, key)), h("dd", null, what)])));

async function show(state) {
  isState = state;
  $("state").hidden = !state;
  $("requests").hidden = state;
  $("show-state").toggleAttribute("aria-current", state);
  $("show-requests").toggleAttribute("aria-current", !state);
  if (state) {
    setParams({ view: "state" });
    try {
      await showState(openDialog);
    } catch (error) {
      toast(error.message, "bad");
    }
  } else setParams({ view: "" });
}

function openDialog(title, ...content) {
  const dialog = $("dialog");
  dialog.replaceChildren(h("header", null, h("h2", { id: "dialog-title" }, title), h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")), h("div", { class: "content" }, content));
  if (!dialog.open) dialog.showModal();
}

function askForKey() {
  if ($("dialog").open) return;
  const input = h("input", { type: "password", id: "key", autocomplete: "off", required: true });
  openDialog("The server wants a key", h("form", { onsubmit: (event) => {
    event.preventDefault();
    data.setKey(input.value);
    $("dialog").close();
    start();
  } }, h("p", { class: "note" }, "It was started with --api-key. The key stays in this tab."), h("p", { class: "line" }, h("label", { for: "key" }, "Key "), input, h("button", { type: "submit", class: "primary" }, "Use it"))));
  input.focus();
}

async function reload() {
  list.beginLoad();
  let rows = null;
  try {
    rows = (await data.json("requests")).requests;
  } finally {
    list.endLoad(rows);
  }
  const { folder } = await data.json("state");
  editor.folder = folder;
}

// What a person chose while the list was loaded stays, with what is typed into it.
async function start() {
  const before = turn;
  try {
    await reload();
  } catch {
    return;
  }
  if (turn === before && !isState) followAddress();
  else list.setGiven(params());
}

function followAddress() {
  const given = params();
  list.setGiven(given);
  if (given.get("view") === "state") show(true);
  else if (given.get("id")) choose(given.get("id"), false);
  else $("detail").replaceChildren(nothingChosen());
}

let changing = 0;

const handlers = {
  on: () => live("live", true),
  lost: () => live("not connected", false),
  off: () => live("not live: the server runs with --no-inspect", false),
  hello: () => reload().catch(() => {}),
  reload: () => reload().catch(() => {}),
  request: (row) => list.add(row),
  changed: () => {
    clearTimeout(changing);
    changing = setTimeout(async () => {
      await reload().catch(() => {});
      const id = params().get("id");
      if (id && !list.has(id)) close();
      if (isState && !$("state").contains(document.activeElement?.closest?.("form"))) showState(openDialog).catch(() => {});
    }, 100);
  },
};

function live(text, is) {
  $("live").textContent = text;
  $("live").classList.toggle("on", is);
}

// A dropped or chosen document: a fixture to begin with, beside the picture, which does not leave this machine.
async function begin(file, domain = "document.invoice") {
  let told;
  let state;
  try {
    const path = `skeleton?filename=${encodeURIComponent(file.name)}&domain=${encodeURIComponent(domain)}`;
    [told, state] = await Promise.all([data.json(path, { method: "POST", body: file }), data.json("state")]);
  } catch (error) {
    toast(error.message, "bad");
    return;
  }
  turn += 1;
  show(false);
  list.setChosen(null);
  setParams({ id: "", tab: "" });
  const shown = { "image/png": 1, "image/jpeg": 1, "image/gif": 1, "image/webp": 1, "image/bmp": 1, "image/avif": 1 }[told.document.media_type] || 0;
  const url = shown ? URL.createObjectURL(new Blob([file], { type: told.document.media_type })) : null;
  const documents = [{ ...told.document, pages: shown, why: "This type is not shown in the page." }];
  $("detail").replaceChildren(h("div", { class: "request" },
    h("header", { class: "head" }, h("button", { type: "button", class: "quiet back", onclick: close }, "‹ Requests"), h("div", { class: "title" }, h("h2", null, `A fixture for ${file.name}`), h("p", { class: "facts" }, h("span", null, told.document.identity)))),
    h("div", { class: "panel wide" }, editor({ draft: told, documents, load: async () => url, domains: { all: state.domains.map((each) => each.name), chosen: domain }, onDomain: (next) => begin(file, next) }))));
  document.body.classList.add("chosen");
}

function setUpDrop() {
  let depth = 0;
  addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; $("drop").hidden = false; });
  addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) $("drop").hidden = true; });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    $("drop").hidden = true;
    const file = event.dataTransfer.files[0];
    if (file) begin(file);
  });
  $("new").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => { if ($("file").files[0]) begin($("file").files[0]); $("file").value = ""; });
}

const help = () => openDialog("Keyboard", h("dl", { class: "keys" }, KEYS.flatMap(([key, what]) => [h("dt", null, h("kbd", null, key)), h("dd", null, what)])));
const pause = () => list.setPaused(!list.isPaused());

const SHORTCUTS = {
  j: () => list.move(1),
  k: () => list.move(-1),
  "/": () => { show(false); $("q").focus(); },
  p: pause,
  s: () => show(true),
  f: () => {
    const make = document.getElementById("make");
    if (make) make.click();
    else if (params().get("id")) setParams({ tab: "fixture" }); // it is still on its way
  },
  "?": help,
  Enter: () => $("detail").querySelector("[role=tab][aria-selected=true]")?.focus(),
};

addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input, textarea, select");
  if (event.key === "Escape") {
    if ($("dialog").open) return;
    if (typing) event.target.blur();
    else if (isState) show(false);
    else close();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog").open) return;
  if (event.key === "Enter" && event.target.closest?.("button, summary, a")) return;
  const call = SHORTCUTS[event.key];
  if (call) {
    event.preventDefault();
    call();
  }
});

$("show-requests").addEventListener("click", () => show(false));
$("show-state").addEventListener("click", () => show(true));
$("pause").addEventListener("click", pause);
$("help").addEventListener("click", help);
$("clear").addEventListener("click", async () => {
  await data.json("/_mock/requests", { method: "DELETE" }).catch((error) => toast(error.message, "bad"));
  list.load([]);
  close();
});
addEventListener("popstate", followAddress);

list.setUp((id) => choose(id, false), (given) => setParams({ q: "", status: "", source: "", kind: "", ...given }));
data.onKeyNeeded(askForKey);
setUpDrop();
start();
data.listen(handlers);
