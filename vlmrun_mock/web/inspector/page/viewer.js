// The document of a request: its pages with the boxes of the fields over them.
import { h, size } from "./dom.js";
import { picture } from "./data.js";

export function viewer(documents, grounded, load, onLight) {
  const boxes = new Map();
  let document_at = 0;
  let page_at = 0;
  let turn = 0;
  const stage = h("div", { class: "stage" });
  const controls = h("div", { class: "pages" });

  async function show() {
    const mine = ++turn;
    boxes.clear();
    const given = documents[document_at];
    controls.replaceChildren(
      documents.length > 1 && h("select", { "aria-label": "Document", onchange: (event) => { document_at = Number(event.target.value); page_at = 0; show(); } },
        documents.map((each, index) => h("option", { value: String(index), selected: index === document_at }, `${index + 1}: ${each.filename || each.media_type || each.kind}`))) || "",
      given.pages > 1 && h("span", { class: "pager" },
        h("button", { type: "button", class: "quiet", disabled: page_at === 0, onclick: () => { page_at -= 1; show(); } }, "‹ Page"),
        h("span", null, `${page_at + 1} of ${given.pages}`),
        h("button", { type: "button", class: "quiet", disabled: page_at + 1 >= given.pages, onclick: () => { page_at += 1; show(); } }, "Page ›")) || "",
      h("span", { class: "dim" }, [given.filename, (given.media_type || given.kind), given.width ? `${given.width}×${given.height}` : "", size(given.size)].filter(Boolean).join(" · ")),
    );
    if (!given.pages) {
      stage.replaceChildren(h("div", { class: "nothing" }, h("p", null, given.why), h("code", null, given.identity)));
      return;
    }
    const url = await load(document_at, given.identity, page_at);
    if (mine !== turn) return;
    if (!url) {
      stage.replaceChildren(h("div", { class: "nothing" }, h("p", null, "The picture cannot be loaded.")));
      return;
    }
    const image = h("img", { src: url, alt: `The document ${given.filename || document_at + 1}` });
    const sheet = h("div", { class: "sheet" }, image);
    if (document_at === 0) {
      for (const each of grounded) {
        for (const box of each.boxes.filter((one) => one.page === page_at)) {
          const [x, y, width, height] = box.xywh;
          const drawn = h("div", { class: `box ${each.confidence || ""}`, title: each.pointer, onmouseenter: () => onLight(each.pointer, true), onmouseleave: () => onLight(each.pointer, false) });
          Object.assign(drawn.style, { left: `${x * 100}%`, top: `${y * 100}%`, width: `${width * 100}%`, height: `${height * 100}%` });
          boxes.set(each.pointer, [...(boxes.get(each.pointer) || []), drawn]);
          sheet.append(drawn);
        }
      }
    }
    stage.replaceChildren(sheet);
  }

  if (documents.length) show();
  else stage.replaceChildren(h("div", { class: "nothing" }, h("p", null, "No document was sent.")));
  return {
    element: h("div", { class: "viewer" }, controls, stage),
    light(pointer, is) {
      for (const each of boxes.get(pointer) || []) each.classList.toggle("lit", is);
    },
  };
}

export const ofRequest = (id) => (number, identity, page) => picture(id, number, identity, page);
