// The rack of `widgets/rack.py`: macros on top, the mixer's strips, and a panel for each step of the one selected.
import { h, openMenu } from "../studio/rendering/player/dom.js";
import { playerView } from "../studio/rendering/player/view.js";
import { deskOf, openDesk } from "./desk.js";
import { dial } from "./dial.js";
import { openPalette, openText, openName } from "./sheets.js";
import { makeTurns } from "./turns.js";
import { makeWritten } from "./written.js";
import { goneNote } from "./gone.js";

const rackTurns = (globalThis.__mirepoixTurns ??= new Map());

function initialize({ model }) {
  const close = openDesk(model), desk = deskOf(model);
  const ear = () => (desk.deck.playing ? { at: desk.deck.position, loop: desk.deck.loop, asked: performance.now() } : null);
  const turns = makeTurns(model, ear);
  turns.ear = ear;
  rackTurns.set(model.get("key"), turns);
  const told = (message) => { if (message.kind === "turned") turns.answered(message); };
  model.on("msg:custom", told);
  return () => { model.off("msg:custom", told); rackTurns.delete(model.get("key")); close(); };
}

function render({ model, el }) {
  const desk = deskOf(model), turns = rackTurns.get(model.get("key"));
  const controls = new Map(); // by id: {show, say, stop}
  const player = playerView(desk, { label: model.get("title") || "Rack" });
  const bar = h("div", { class: "mx-bar mx-tools" });
  const macros = h("div", { class: "mx-macros", role: "group", "aria-label": "Macros" });
  const strips = h("div", { class: "mx-strips", role: "group", "aria-label": "Strips" });
  const strip = h("div", { class: "mx-strip" });
  const root = h("div", { class: "mx mx-rack", role: "group", "aria-label": model.get("title") || "Rack" },
    goneNote(model), bar, player.el, macros, strips, strip);
  let asking = false; // of all views only the one that asked opens what comes
  const ahead = () => { for (const each of controls.values()) each.settle?.(); turns.push(); };
  const doing = (what, more = {}) => { ahead(); asking = ["yaml", "python", "shelf"].includes(what); model.send({ kind: "do", what, ...more }); };
  const written = makeWritten(model);
  const type = (id, text) => { ahead(); return written.send({ id, text, ear: turns.ear() }); };
  const value = (id) => (turns.holds(id) ? turns.value(id) : model.get("values")[id]);
  /** A switch turns under the finger; Python hears of it and may say otherwise. */
  const flip = (id, on, show) => { show(on); turns.turn(id, on, false); };
  let seed = 1;

  // ---- controls -------------------------------------------------------------------------------------------------

  function control(described) {
    const { id } = described;
    const made = described.kind === "dial" && typeof value(id) === "number" ? dialOf(described)
      : described.kind === "switch" ? switchOf(described)
        : described.kind === "choice" || described.kind === "port" ? choiceOf(described) : textOf(described);
    controls.set(id, { ...made, kind: typeof value(id) });
    return made.el;
  }

  function dialOf({ id, spec }) {
    const learned = model.get("controllers")[id];
    const made = dial({ ...spec, value: value(id) }, {
      turn: (next, moving) => { turns.turn(id, next, moving); },
      type: (text) => type(id, text),
      learn: (cc) => {
        const { [id]: _, ...others } = model.get("controllers");
        model.set("controllers", cc ? { ...others, [id]: cc } : others);
        model.save_changes();
      },
    }, { cc: learned });
    const master = model.get("driven")[id];
    if (master) {
      made.el.classList.add("mx-driven");
      made.face.setAttribute("aria-disabled", "true");
      made.face.setAttribute("tabindex", "-1");
      made.el.append(h("span", { class: "mx-badge", title: `The macro ${master} turns this` }, master));
    }
    return made;
  }

  function switchOf({ id, label, help }) {
    const button = h("button", { type: "button", class: "mx-toggle", role: "switch", "aria-label": label, title: help,
      onclick: () => flip(id, button.getAttribute("aria-checked") !== "true", show) }, h("i"), h("span", {}, label));
    const show = (on) => button.setAttribute("aria-checked", String(Boolean(on)));
    return { el: button, show, say: () => {}, stop: () => {} };
  }

  function choiceOf({ id, label, help, options, kind }) {
    const names = kind === "port" ? ["", ...model.get("panels").strips.filter((each) => each.where !== "master").map((each) => each.name)] : options;
    const select = h("select", { "aria-label": label, title: help, onchange: () => turns.turn(id, select.value || null, false) },
      ...names.map((name) => h("option", { value: name }, name || "–")));
    return { el: h("label", { class: "mx-line" }, h("span", {}, label), select), show: (now) => { select.value = now ?? ""; }, say: () => {}, stop: () => {} };
  }

  function textOf({ id, label, help }) {
    let shown = "";
    const note = h("span", { class: "mx-note", role: "alert" });
    const input = h("input", { type: "text", "aria-label": label, title: help, spellcheck: "false" });
    const el = h("label", { class: "mx-line" }, h("span", {}, label), input, note);
    const say = (words) => { note.textContent = words; el.classList.toggle("mx-wrong", Boolean(words)); };
    const commit = () => { if (input.value !== shown) type(id, input.value); };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") commit();
      if (event.key === "Escape") { input.value = shown; say(""); }
    });
    input.addEventListener("change", commit);
    return { el, say, stop: () => {}, show: (now) => { shown = now ?? ""; if (document.activeElement !== input || input.value !== shown) input.value = shown; say(""); } };
  }

  // ---- panels ---------------------------------------------------------------------------------------------------

  function panel(described, place = null) {
    const { id, label, step, help, kind } = described;
    const box = h("div", { class: "mx-panel", role: "group", "aria-label": label, "data-step": id });
    const power = h("button", { type: "button", class: "mx-power", role: "switch", "aria-label": `${label} on`, title: "Bypass",
      onclick: () => flip(described.bypass, power.getAttribute("aria-checked") === "true", show) }, h("i"));
    const show = (off) => {
      power.setAttribute("aria-checked", String(!off));
      box.classList.toggle("mx-off", Boolean(off));
    };
    controls.set(described.bypass, { kind: "boolean", say: () => {}, stop: () => {}, show });
    const grip = place === null ? null : h("button", { type: "button", class: "mx-grip", "aria-label": `Move ${label}`,
      title: "Drag to reorder, or use the arrow keys", "data-focus": `grip ${label}` });
    const more = place === null ? null : h("button", { type: "button", class: "mx-more", "aria-label": `More for ${label}`,
      onclick: (event) => openMenu(event.clientX || more.getBoundingClientRect().x, event.clientY || more.getBoundingClientRect().bottom, [
        ["Remove", () => doing("remove", { at: place })],
        ["Move to the front", place ? () => doing("move", { step: place, to: 0 }) : null],
      ], more) }, "⋯");
    box.append(h("div", { class: "mx-heading" }, grip, power, h("strong", { title: help }, label),
      label === step ? null : h("small", {}, step), kind === "effect" ? null : h("small", {}, kind), h("span", { class: "mx-space" }), more));
    const error = h("p", { class: "mx-error", role: "alert", hidden: true });
    const dials = described.controls.filter((each) => each.kind === "dial" && typeof value(each.id) === "number");
    const others = described.controls.filter((each) => !dials.includes(each));
    box.append(error);
    if (dials.length) box.append(h("div", { class: "mx-dials" }, ...dials.map(control)));
    if (others.length) box.append(h("div", { class: "mx-lines" }, ...others.map(control)));
    for (const chain of described.chains) {
      box.append(h("div", { class: "mx-inner" }, ...chain.map((each) => panel(each))));
    }
    if (grip) dragging(grip, box, place);
    return box;
  }

  function dragging(grip, box, place) {
    let held = null;
    const panels = () => [...strip.querySelectorAll(".mx-chain > .mx-panel")];
    const target = (event) => {
      let best = place, least = Infinity;
      panels().forEach((other, index) => {
        const spot = other.getBoundingClientRect();
        const far = Math.hypot(event.clientX - spot.x - spot.width / 2, (event.clientY - spot.y - spot.height / 2) * 2);
        if (far < least) { least = far; best = index; }
      });
      return best;
    };
    grip.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      grip.setPointerCapture(event.pointerId);
      held = { x: event.clientX, y: event.clientY, to: place };
      box.classList.add("mx-lifted");
      event.preventDefault();
      grip.focus();
    });
    grip.addEventListener("pointermove", (event) => {
      if (!held) return;
      box.style.transform = `translate(${event.clientX - held.x}px, ${event.clientY - held.y}px)`;
      held.to = target(event);
      panels().forEach((other, index) => {
        other.classList.toggle("mx-before", index === held.to && held.to < place);
        other.classList.toggle("mx-after", index === held.to && held.to > place);
      });
    });
    const drop = (keep) => {
      if (!held) return;
      const { to } = held;
      held = null;
      box.style.transform = "";
      for (const other of panels()) other.classList.remove("mx-before", "mx-after", "mx-lifted");
      if (keep && to !== place) doing("move", { step: place, to });
    };
    grip.addEventListener("pointerup", () => drop(true));
    grip.addEventListener("pointercancel", () => drop(false));
    grip.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (event.key === "Escape") drop(false);
      else if (event.key === "Delete") doing("remove", { at: place });
      else if (way && place + way >= 0 && place + way < panels().length) doing("move", { step: place, to: place + way });
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  // ---- the whole ------------------------------------------------------------------------------------------------

  function build() {
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    const key = focused?.getAttribute("data-focus") ?? focused?.getAttribute("aria-label");
    for (const each of controls.values()) each.stop();
    controls.clear();
    const panels = model.get("panels"), selected = model.get("selected");
    macros.replaceChildren(...panels.macros.map(control));
    macros.hidden = !panels.macros.length;
    strips.hidden = panels.single;
    strips.replaceChildren(...panels.strips.map(({ name, where, switches }) => {
      const tab = h("button", { type: "button", class: "mx-name", "aria-pressed": String(name === selected), "data-focus": `strip ${name}`,
        onclick: () => { model.set("selected", name); model.save_changes(); } }, name);
      return h("span", { class: `mx-tab mx-${where}` }, tab, ...switches.map((each) => {
        const letter = each.label[0].toUpperCase();
        const button = h("button", { type: "button", class: "mx-small", "aria-label": `${each.label} ${name}`, title: each.label,
          onclick: () => flip(each.id, button.getAttribute("aria-pressed") !== "true", show) }, letter);
        const show = (on) => button.setAttribute("aria-pressed", String(Boolean(on)));
        controls.set(each.id, { kind: "boolean", say: () => {}, stop: () => {}, show });
        return button;
      }));
    }));
    const now = panels.strips.find((each) => each.name === selected) ?? panels.strips[0];
    const chain = h("div", { class: "mx-chain" }, ...now.chain.map((each, index) => panel(each, index)),
      h("button", { type: "button", class: "mx-add", "aria-label": "Add a step", onclick: (event) => addStep(event) }, "+"));
    const head = now.heads.filter((each) => each.kind === "dial" && typeof value(each.id) === "number");
    const rest = now.heads.filter((each) => !head.includes(each) && value(each.id) !== null);
    strip.replaceChildren(
      h("div", { class: "mx-panel mx-channel", role: "group", "aria-label": `${now.name}: mixer` }, h("div", { class: "mx-heading" }, h("strong", {}, now.name)),
        h("div", { class: "mx-dials" }, ...head.map(control)), ...rest.map(control)),
      ...(now.play || now.notes.length ? [h("div", { class: "mx-sources" }, ...[now.play, ...now.notes].filter(Boolean).map((each) => panel(each)))] : []),
      chain);
    refresh();
    if (key && !root.contains(document.activeElement)) {
      [...root.querySelectorAll("[data-focus], [aria-label]")].find((each) => (each.getAttribute("data-focus") ?? each.getAttribute("aria-label")) === key)?.focus({ preventScroll: true });
    }
  }

  function addStep(event) {
    const box = event.currentTarget.getBoundingClientRect();
    openPalette(box.x, box.bottom, model.get("palette"), (step) => doing("add", { step }));
  }

  /** Values as Python has them, but for knobs that are in a hand. */
  function refresh(stands = model.get("values")) {
    let rebuild = false;
    for (const [id, now] of Object.entries(stands)) {
      const each = controls.get(id);
      if (!each || each.held?.() || turns.holds(id)) continue; // a hand owns it
      if ((each.kind === "number") !== (typeof now === "number") && now !== null) rebuild = true;
      else if (now !== null || each.kind !== "number") each.show(now);
    }
    return rebuild;
  }

  function tools() {
    const sides = model.get("sides");
    const button = (text, label, action, more = {}) => h("button", { type: "button", class: "mx-button", title: label, "aria-label": label,
      "data-focus": label, onclick: action, ...more }, text);
    const morph = h("input", { type: "range", min: 0, max: 1, step: 0.001, value: sides.letter === "A" ? 0 : 1, "aria-label": "Morph from A to B",
      title: "Morph from A to B", disabled: sides.same });
    morph.addEventListener("input", () => turns.turn("morph", Number(morph.value), true));
    morph.addEventListener("change", () => turns.turn("morph", Number(morph.value), false));
    const focused = bar.contains(document.activeElement) ? document.activeElement.getAttribute("data-focus") : null;
    bar.replaceChildren(
      h("strong", { class: "mx-title" }, model.get("title") || "Rack"),
      h("span", { class: "mx-space" }),
      button("↶", "Undo", () => doing("undo"), { disabled: !sides.undo }),
      button("↷", "Redo", () => doing("redo"), { disabled: !sides.redo }),
      h("span", { class: "mx-tabs", role: "group", "aria-label": "Compare" },
        ...["A", "B"].map((letter) => h("button", { type: "button", "aria-pressed": String(sides.letter === letter), "aria-label": `Side ${letter}`,
          "data-focus": `Side ${letter}`, onclick: () => { if (sides.letter !== letter) doing("swap"); } }, letter))),
      button(sides.letter === "A" ? "A→B" : "B→A", "Copy to the other side", () => doing("copy"), { disabled: sides.same }),
      morph,
      button("=", "Match levels of A and B", () => doing("match", { on: !sides.match }), { "aria-pressed": String(sides.match) }),
      gain,
      button("⚄", "Randomise this strip", () => doing("randomise", { seed: seed++ })),
      button("Presets", "Presets", () => doing("shelf")),
      button("Copy", "Copy as text", (event) => { const at = event.currentTarget.getBoundingClientRect(); openMenu(at.x, at.bottom + 4, [
        ["as YAML", () => doing("yaml")], ["as Python", () => doing("python")]], event.currentTarget); }),
      button("Export", "Export as a plugin", (event) => { const at = event.currentTarget.getBoundingClientRect(); openMenu(at.x, at.bottom + 4,
        ["vst3", "lv2", "clap"].map((form) => [form.toUpperCase(), () => doing("export", { format: form })]), event.currentTarget); }));
    if (focused) [...bar.querySelectorAll("[data-focus]")].find((each) => each.getAttribute("data-focus") === focused)?.focus();
  }
  const gain = h("span", { class: "mx-state" });

  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "z") return;
    if (event.target.matches("input[type=text], textarea")) return; // there it takes letters back
    doing(event.shiftKey ? "redo" : "undo");
    event.preventDefault();
    event.stopPropagation();
  });

  function errors() {
    const found = model.get("errors");
    for (const box of root.querySelectorAll("[data-step]")) {
      const text = found[box.getAttribute("data-step")] ?? "", note = box.querySelector(":scope > .mx-error");
      note.textContent = text;
      note.hidden = !text;
      box.classList.toggle("mx-failed", Boolean(text));
    }
  }

  const told = (message) => {
    if (message.kind === "turned") refresh(message.values);
    else if (message.kind === "read") written.answered(message);
    else if (message.kind === "refused") {
      const each = controls.get(message.id);
      if (each) { each.show(value(message.id)); each.say(message.text); } else { desk.state = message.text; desk.bad = true; desk.changed(); }
    } else if (message.kind === "text" && asking) {
      asking = false;
      openText(message.title, message.text);
    } else if (message.kind === "shelf" && asking) {
      asking = false;
      const at = bar.querySelector("[data-focus=Presets]").getBoundingClientRect();
      openMenu(at.x, at.bottom + 4, [["Save this chain…", () => openName("Save the chain as", (name, replace) => doing("save", { name, replace }))], null,
        ...message.presets.map(({ preset }) => [preset, () => doing("load", { name: preset })])], bar.querySelector("[data-focus=Presets]"));
    } else if (message.kind === "gain") {
      gain.textContent = message.decibels ? `${message.decibels} dB` : "";
      gain.title = "The louder side is turned down by so much";
    }
  };
  let shape = "";
  const stands = () => { if (refresh()) build(); };
  const rebuilt = () => {
    const next = JSON.stringify([model.get("panels"), model.get("selected"), model.get("driven")]);
    if (next === shape) return;
    shape = next;
    build();
    errors();
  };
  const listeners = [["change:panels", rebuilt], ["change:driven", rebuilt], ["change:selected", rebuilt], ["change:values", stands], ["change:sides", tools],
    ["change:errors", errors], ["msg:custom", told], ["change:controllers", () => {
      for (const [id, each] of controls) each.wire?.(model.get("controllers")[id] ?? null);
    }]];
  for (const [name, listener] of listeners) model.on(name, listener);
  tools();
  rebuilt();
  el.append(root);
  requestAnimationFrame(player.draw);
  return () => {
    for (const [name, listener] of listeners) model.off(name, listener);
    for (const each of controls.values()) each.stop();
    player.stop();
  };
}
export default { initialize, render };
