// Sheets that lie over the page for a moment: steps to choose from, a text to take along, a name to give.
import { h } from "../studio/rendering/player/dom.js";

function sheet(label, ...content) {
  const box = h("dialog", { class: "mx mx-sheet", "aria-label": label }, ...content);
  box.addEventListener("keydown", (event) => event.stopPropagation());
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

/** Steps of the registry, narrowed down by what is typed. */
export function openPalette(x, y, steps, chosen) {
  const field = h("input", { type: "search", placeholder: "Find a step…", "aria-label": "Find a step" });
  const list = h("div", { class: "mx-list", role: "listbox", "aria-label": "Steps" });
  const box = sheet("Add a step", h("h3", {}, "Add a step"), field, list);
  const fill = () => {
    const wanted = field.value.toLowerCase();
    const found = steps.filter(({ step, help }) => `${step} ${help}`.toLowerCase().includes(wanted))
      .sort((one, other) => Number(other.step.startsWith(wanted)) - Number(one.step.startsWith(wanted)));
    list.replaceChildren(...found.map(({ step, help, kind }) => h("button", { type: "button", role: "option", onclick: () => { box.close(); chosen(step); } },
      h("strong", {}, step), kind === "transform" ? h("em", {}, "whole sound") : null, h("span", {}, help))));
  };
  field.addEventListener("input", fill);
  field.addEventListener("keydown", (event) => { if (event.key !== "Enter") return;
    event.preventDefault(); // or the button that opened this is pressed anew
    list.querySelector("button")?.click();
  });
  fill();
  field.focus();
}

/** A text, ready to be copied. */
export function openText(title, text) {
  const area = h("textarea", { readonly: true, spellcheck: "false", "aria-label": title });
  area.value = text;
  const done = h("button", { type: "button", class: "mx-button" }, "Copy");
  done.addEventListener("click", async () => {
    area.select();
    try { await navigator.clipboard.writeText(text); } catch { document.execCommand("copy"); }
    done.textContent = "Copied";
  });
  const box = sheet(title, h("h3", {}, title), area,
    h("div", { class: "mx-bar" }, done, h("button", { type: "button", class: "mx-button", onclick: () => box.close() }, "Close")));
  area.select();
}

/** A name, and whether it may take the place of another. */
export function openName(title, named) {
  const field = h("input", { type: "text", "aria-label": title, maxlength: 80 });
  const replace = h("input", { type: "checkbox" });
  const keep = () => { if (field.value.trim()) { box.close(); named(field.value.trim(), replace.checked); } };
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); keep(); } });
  const box = sheet(title, h("h3", {}, title), field, h("label", { class: "mx-check" }, replace, " in place of one with that name"),
    h("div", { class: "mx-bar" }, h("button", { type: "button", class: "mx-button", onclick: keep }, "Save"),
      h("button", { type: "button", class: "mx-button", onclick: () => box.close() }, "Cancel")));
  field.focus();
}
