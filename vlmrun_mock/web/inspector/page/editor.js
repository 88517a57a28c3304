// A fixture as it is typed: checked by the server while it is, and never written over another one unseen.
import { h, toast } from "./dom.js";
import { json, post } from "./data.js";
import { viewer } from "./viewer.js";

const PAUSE = 200;
const MOST_FIELDS = 400;
let numbers = 0;

export function editor({ id, draft, documents, load, domains, onDomain }) {
  const number = ++numbers;
  let standing = null;
  let timer = 0;
  let turn = 0;
  let servable = false;

  const name = h("input", { type: "text", id: `name-${number}`, value: draft.name, spellcheck: "false", autocomplete: "off", oninput: later });
  const text = h("textarea", { id: `text-${number}`, spellcheck: "false", "aria-label": "The fixture as JSON", "aria-describedby": `findings-${number}`, oninput: later });
  text.value = draft.text;
  const findings = h("div", { id: `findings-${number}`, class: "checked", role: "status" }, "Checking …");
  const difference = h("div", { class: "difference" });
  const fields = h("div", { class: "fields", hidden: true });
  const withPicture = h("input", { type: "checkbox", id: `picture-${number}`, onchange: namePicture });
  const save = h("button", { type: "button", class: "primary", id: "save", disabled: true, onclick: () => saved() }, "Save as fixture");
  const register = h("button", { type: "button", class: "secondary", disabled: true, onclick: () => registered() }, "Register for this run");
  const asText = h("button", { type: "button", "aria-pressed": "true", onclick: () => mode(false) }, "JSON");
  const asFields = h("button", { type: "button", "aria-pressed": "false", onclick: () => mode(true) }, "Fields");

  function later() {
    clearTimeout(timer);
    save.disabled = register.disabled = true;
    timer = setTimeout(check, PAUSE);
  }

  async function check() {
    const mine = ++turn;
    let told;
    try {
      told = await post("check", { name: name.value, text: text.value, ...(id ? { request: id } : {}), ...picture() });
    } catch (error) {
      if (mine === turn) findings.replaceChildren(h("p", { class: "bad" }, error.message));
      return;
    }
    if (mine !== turn) return;
    standing = told.standing;
    servable = told.servable;
    findings.replaceChildren(...verdict(told));
    difference.replaceChildren(...compared(told.standing));
    save.textContent = standing && standing.difference.length ? "Replace the file" : "Save as fixture";
    save.disabled = !servable || Boolean(told.path) || !folder;
    register.disabled = !servable || withPicture.checked;
  }

  function verdict(told) {
    const lines = [];
    if (told.path) lines.push(h("li", { class: "bad" }, told.path));
    const at = told.position;
    if (at) lines.push(h("li", { class: "bad" }, h("button", { type: "button", class: "link", onclick: () => go(at) }, `Line ${at.line}, column ${at.column}`), `: ${at.message}`));
    for (const each of told.findings) {
      if (at && each.place === "") continue;
      lines.push(h("li", { class: each.level === "error" ? "bad" : "warn" }, each.place && h("code", null, each.place), ` ${each.message}`, h("span", { class: "dim" }, ` [${each.code}]`)));
    }
    const head = told.findings.length || told.path
      ? h("p", { class: told.ok && !told.path ? "warn" : "bad" }, `${lines.length} to look at`)
      : h("p", { class: "good" }, "✓ vlmrun-mock check finds nothing");
    const matches = told.request && h("p", { class: told.request.matches ? "good" : "warn" }, told.request.matches ? "✓ It answers this request" : `It does not match this request: ${told.request.differences.map((each) => each.message).join("; ")}`);
    return [head, lines.length ? h("ul", null, lines) : "", matches || ""];
  }

  function compared(found) {
    if (!found) return [];
    if (!found.difference.length) return [h("p", { class: "note" }, "The file holds exactly this already.")];
    return [h("h3", null, "This file is there already. It would change like this:"),
      h("pre", { tabindex: 0, role: "region", "aria-label": "The difference to the file" }, found.difference.map((line) => h("span", { class: line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : line.startsWith("@") ? "hunk" : "" }, `${line}\n`)))];
  }

  function go({ line, column }) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
    mode(false);
    text.focus();
    text.setSelectionRange(start, start + 1);
  }

  async function saved() {
    save.disabled = true;
    try {
      const told = await post("fixtures", { name: name.value, text: text.value, replaces: standing?.digest ?? null, ...picture() });
      toast(`Saved as ${told.path}. It answers from the next request on.`, "good");
      if (told.message) toast(told.message, "bad");
    } catch (error) {
      toast(error.message, "bad");
    }
    check();
  }

  async function registered() {
    register.disabled = true;
    try {
      const told = await json("/_mock/fixtures", { method: "POST", headers: { "Content-Type": "application/json" }, body: text.value });
      toast(`Registered as ${told.fixtures.join(", ")} until a reset.`, "good");
    } catch (error) {
      toast(error.message, "bad");
    }
    check();
  }

  const pictureName = () => `pictures/${(documents[0].filename || `${documents[0].identity.slice(7, 17)}.${(documents[0].media_type || "image/png").split("/").pop().replace("jpeg", "jpg")}`).replace(/[^\w.-]+/g, "-").replace(/^\.+/, "")}`;

  const picture = () => (withPicture.checked ? { picture: { request: id, document: 0, name: pictureName() } } : {});

  function namePicture() {
    try {
      const data = JSON.parse(text.value);
      const named = documents.map((each) => ({ identity: each.identity, ...(each.filename ? { filename: each.filename } : {}) }));
      if (withPicture.checked) named[0] = pictureName();
      data.match.documents = named;
      text.value = `${JSON.stringify(data, null, 2)}\n`;
      later();
    } catch {
      withPicture.checked = false;
    }
  }

  // Field by field: each scalar of the answer's content, or of its patch, in a box of its own.
  function mode(is) {
    let data = null;
    if (is) {
      try {
        data = JSON.parse(text.value);
      } catch {
        toast("Mend the JSON first: it cannot be read.", "bad");
        is = false;
      }
    }
    asText.setAttribute("aria-pressed", String(!is));
    asFields.setAttribute("aria-pressed", String(is));
    text.hidden = is;
    fields.hidden = !is;
    if (data) fields.replaceChildren(...inputs(data));
  }

  function inputs(data) {
    const answer = data.answer || data.answers?.[0];
    const content = answer?.content ?? answer?.merge;
    if (content === null || typeof content !== "object") return [h("p", { class: "note" }, "The answer has no fields.")];
    const found = [];
    const walk = (holder, path) => {
      for (const key of Object.keys(holder)) {
        const value = holder[key];
        const at = [...path, key];
        if (value !== null && typeof value === "object") walk(value, at);
        else if (found.length < MOST_FIELDS) found.push([holder, key, at, value]);
      }
    };
    walk(content, []);
    return found.map(([holder, key, at, value]) => {
      const field = `field-${number}-${at.join(".")}`;
      const input = h("input", { type: "text", id: field, value: value === null ? "" : String(value), placeholder: value === null ? "null" : "", spellcheck: "false", oninput: () => {
        holder[key] = read(input.value, value);
        text.value = `${JSON.stringify(data, null, 2)}\n`;
        later();
      } });
      return h("div", { class: "pair" }, h("label", { for: field }, at.join(".")), input);
    });
  }

  const folder = editor.folder;
  const view = viewer(documents, [], load, () => {});
  const canCopy = id && documents.length > 0 && documents[0].pages > 0 && folder;
  check();
  return h("div", { class: "beside editor" }, view.element, h("div", { class: "said" },
    domains && h("p", { class: "line" }, h("label", { for: `domain-${number}` }, "Domain "), h("select", { id: `domain-${number}`, onchange: (event) => onDomain(event.target.value) }, domains.all.map((each) => h("option", { value: each, selected: each === domains.chosen }, each)))),
    h("p", { class: "line file" }, h("label", { for: `name-${number}` }, folder ? `${folder}/` : "name "), name),
    h("div", { class: "line" }, h("div", { class: "segments", role: "group", "aria-label": "Edit as" }, asText, asFields),
      canCopy ? h("label", { class: "check" }, withPicture, " save the picture beside it") : ""),
    text, fields, findings, difference,
    h("p", { class: "actions" }, save, register, !folder && h("span", { class: "dim" }, "Start with --fixtures DIR to save files."))));
}

editor.folder = null;

function read(text, before) {
  if (typeof before === "number" && text.trim() !== "" && !Number.isNaN(Number(text))) return Number(text);
  if (typeof before === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (before === null && text === "") return null;
  return text;
}
