// Making elements. Text is always text: nothing that a person wrote is ever read as HTML.

/** @returns {HTMLElement} */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** @returns {SVGElement} */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A small menu at a point; closes on choice, Escape or a click elsewhere. `items`: [label, action] or null for a rule. */
export function openMenu(x, y, items, owner) {
  // On top of everything, yet within the part of the page that it belongs to.
  const menu = h("div", { class: "mx mx-menu", role: "menu", popover: "manual" });
  const close = () => { menu.remove(); document.removeEventListener("pointerdown", outside, true); owner?.focus?.(); };
  const outside = (event) => { if (!menu.contains(event.target)) close(); };
  for (const item of items) {
    menu.append(item === null ? h("hr") : h("button", { role: "menuitem", type: "button", disabled: !item[1],
      onclick: () => { close(); item[1](); } }, item[0]));
  }
  menu.addEventListener("keydown", (event) => {
    const entries = [...menu.querySelectorAll("button:not(:disabled)")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") close();
    else if (step) entries[(entries.indexOf(document.activeElement) + step + entries.length) % entries.length].focus();
    else return;
    event.preventDefault(); event.stopPropagation();
  });
  (owner?.closest?.(".mx") ?? document.body).append(menu);
  menu.showPopover?.();
  const box = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - box.width - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(y, innerHeight - box.height - 4))}px`;
  document.addEventListener("pointerdown", outside, true);
  menu.querySelector("button:not(:disabled)")?.focus();
}
