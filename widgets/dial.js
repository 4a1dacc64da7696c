// A knob as in a plugin: drag, shift for fine, double-click for the default, wheel, keys, typing, MIDI.
import { h, openMenu, svg } from "../studio/rendering/player/dom.js";
import { hearMidi, openMidi } from "./midi.js";
import { position, valueAt, words } from "./taper.js";

const TRAVEL = 200; // pixels of a hand for the whole way
const FINE = 0.1;
const SWEEP = 270; // degrees
const REST = 300; // ms without a key, a turn of the wheel or a controller after which the gesture is over

/**
 * @param {Spec} spec
 * @param {object} to  what it reports to
 * @param {(value: number, moving: boolean) => void} to.turn  `moving` until the gesture is over
 * @param {(text: string) => Promise<void>} to.type  a value somebody wrote; kept once Python has read it
 * @param {((cc: number[]|null) => void)=} to.learn  the controller that turns it from now on
 * @param {object=} style  `drag`: "vertical" or "circular"
 */
export function dial(spec, to, style = {}) {
  let value = spec.value ?? spec.default, held = null, resting = 0, cc = style.cc ?? null, learning = false;
  let unread = 0; // values that were written and that Python has not read yet
  const later = []; // what hands do meanwhile: it begins where the written value is
  const arc = svg("path", { class: "mx-arc" });
  const hand = svg("line", { class: "mx-hand", x1: 0, x2: 0, y1: -9, y2: -17.5 });
  const face = svg("svg", {
    viewBox: "-32 -32 64 60", class: "mx-dial", role: "slider", tabindex: 0, "aria-label": spec.label,
    "aria-valuemin": spec.low, "aria-valuemax": spec.high,
    ...(spec.help ? { "aria-description": spec.help } : {}),
  });
  face.append(svg("path", { class: "mx-track", d: sweep(0, 1) }), arc, ...ticks(spec),
    svg("circle", { class: "mx-rim", r: 20 }), svg("circle", { class: "mx-cap", r: 18.5 }), hand);
  const title = svg("title");
  title.textContent = spec.help ? `${spec.label}: ${spec.help}` : spec.label;
  face.append(title);
  const text = h("button", { type: "button", class: "mx-value", tabindex: -1, onclick: write,
    title: "Click to type a value" });
  const field = h("input", { class: "mx-field", type: "text", "aria-label": `${spec.label}, as text`, hidden: true });
  const note = h("span", { class: "mx-note", role: "alert" });
  const el = h("div", { class: "mx-knob" }, h("span", { class: "mx-label", "aria-hidden": "true" }, spec.label),
    face, text, field, note);

  function show(next) {
    if (next !== value) say("");
    value = next;
    const place = Math.min(1, Math.max(0, position(spec, value)));
    const from = spec.low < 0 && spec.high > 0 && spec.taper === "linear" ? position(spec, 0) : 0;
    arc.setAttribute("d", sweep(Math.min(from, place), Math.max(from, place)));
    hand.setAttribute("transform", `rotate(${SWEEP * (place - 0.5)})`);
    face.setAttribute("aria-valuenow", String(value));
    face.setAttribute("aria-valuetext", words(spec, value));
    if (!learning) text.textContent = words(spec, value);
  }

  function set(next, moving) {
    say("");
    if (next !== value || !moving) {
      show(next);
      to.turn(next, moving);
    }
  }
  /** A gesture of small steps is over once they stop, or at once when something else begins. */
  function rest() {
    clearTimeout(resting);
    resting = setTimeout(settle, REST);
  }
  function settle() {
    if (!resting) return;
    clearTimeout(resting);
    resting = 0;
    to.turn(value, false);
  }
  const put = (place, moving) => set(valueAt(spec, place), moving);
  /** Steps from where the knob stands; where that is not known yet, as soon as it is. */
  const stepping = (step) => { if (unread) later.push(step); else step(); };
  const bump = (step, moving) => {
    if (spec.whole) {
      const size = Math.max(1, Math.round(Math.abs(step) > 0.05 ? (spec.high - spec.low) / 10 : 1));
      set(Math.min(spec.high, Math.max(spec.low, value + Math.sign(step) * size)), moving);
    } else put(position(spec, value) + step, moving);
  };
  const reset = () => stepping(() => { settle(); set(spec.default ?? spec.low, false); }); // straight to it, never through the taper and back
  const say = (words) => { note.textContent = words; el.classList.toggle("mx-wrong", Boolean(words)); };

  function angle(event) {
    const box = face.getBoundingClientRect();
    return Math.atan2(event.clientX - box.x - box.width / 2, box.y + box.height * 32 / 60 - event.clientY);
  }
  face.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    face.focus();
    settle();
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) { reset(); return; }
    face.setPointerCapture(event.pointerId);
    held = { y: event.clientY, angle: angle(event), place: position(spec, value), moved: false };
    el.classList.add("mx-held");
  });
  face.addEventListener("pointermove", (event) => { if (held) stepping(() => pull(event)); });
  function pull(event) {
    let way = (held.y - event.clientY) / TRAVEL;
    if (style.drag === "circular") {
      const turned = angle(event) - held.angle;
      way = (((turned + 3 * Math.PI) % (2 * Math.PI)) - Math.PI) / (SWEEP * Math.PI / 180);
      held.angle = angle(event);
    }
    held.place = Math.min(1, Math.max(0, held.place + way * (event.shiftKey ? FINE : 1)));
    held.y = event.clientY;
    if (way) { held.moved = true; put(held.place, true); }
  }
  const drop = () => { if (held) stepping(letGo); };
  const letGo = () => {
    if (!held) return;
    const { moved } = held;
    held = null;
    el.classList.remove("mx-held");
    if (moved) to.turn(value, false);
  };
  face.addEventListener("pointerup", drop);
  face.addEventListener("pointercancel", drop);
  face.addEventListener("lostpointercapture", drop);
  face.addEventListener("dblclick", reset);
  face.addEventListener("wheel", (event) => {
    if (document.activeElement !== face) return; // a page that is being scrolled turns no knobs
    event.preventDefault();
    event.stopPropagation();
    const step = -Math.sign(event.deltaY || event.deltaX) * 0.01 * (event.shiftKey ? FINE : 1);
    stepping(() => { bump(step, true); rest(); });
  }, { passive: false });
  face.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowLeft: -0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) { settle(); return; } // those are the rack's and the browser's
    if (step !== undefined) stepping(() => { bump(step * (event.shiftKey ? FINE : 1), true); rest(); });
    else if (event.key === "Home") stepping(() => { settle(); set(spec.low, false); });
    else if (event.key === "End") stepping(() => { settle(); set(spec.high, false); });
    else if (event.key === "Delete" || event.key === "Backspace") reset();
    else if (event.key === "Enter" || /^[0-9.+\-]$/.test(event.key)) write(event.key.length === 1 ? event.key : null);
    else if (event.key === "ContextMenu") menu(event);
    else return;
    event.preventDefault();
    event.stopPropagation(); // keys here are not the notebook's
  });
  face.addEventListener("contextmenu", menu);
  face.addEventListener("blur", settle);

  function menu(event) {
    event.preventDefault();
    event.stopPropagation();
    const box = face.getBoundingClientRect();
    openMenu(event.clientX || box.x + 20, event.clientY || box.y + 20, [
      [`Reset to ${words(spec, spec.default ?? spec.low)}`, reset],
      ["Type a value…", () => write(null)],
      null,
      ["MIDI learn", to.learn ? learn : null],
      [cc ? `Forget CC ${cc[0]} (channel ${cc[1] + 1})` : "Forget MIDI", cc ? () => assign(null) : null],
    ], face);
  }

  function write(begin) {
    field.hidden = false;
    text.hidden = true;
    field.value = typeof begin === "string" ? begin : words(spec, value).replace("∞", "inf");
    field.focus();
    if (typeof begin !== "string") field.select();
  }
  const leave = (keep) => {
    if (field.hidden) return;
    const written = field.value.trim();
    field.hidden = true;
    text.hidden = false;
    if (!keep || !written) return;
    unread += 1;
    to.type(written).then(() => {
      unread -= 1;
      if (unread) return;
      if (held) held.place = position(spec, value);
      for (const step of later.splice(0)) step();
    });
  };
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" || event.key === "Escape") { leave(event.key === "Enter"); face.focus(); }
  });
  field.addEventListener("blur", () => leave(false));

  async function learn() {
    const refused = await openMidi();
    if (refused) { say(refused); return; }
    learning = true;
    text.textContent = "turn a controller";
    el.classList.add("mx-learning");
  }
  function wire(next) {
    cc = next;
    learning = false;
    el.classList.remove("mx-learning");
    el.classList.toggle("mx-cc", Boolean(cc));
    show(value);
  }
  function assign(next) {
    wire(next);
    to.learn?.(cc);
  }
  const deaf = hearMidi((number, channel, level) => {
    if (learning) assign([number, channel]);
    if (!cc || cc[0] !== number || cc[1] !== channel) return;
    stepping(() => { put(level, true); rest(); });
  });

  if (cc) { el.classList.add("mx-cc"); openMidi(); }
  show(value);
  return { el, face, show, say, wire, settle, held: () => !unread && (held !== null || resting !== 0), stop: () => { settle(); deaf(); } };
}

function sweep(from, to) {
  const at = (place) => {
    const angle = ((place - 0.5) * SWEEP * Math.PI) / 180;
    return `${(25 * Math.sin(angle)).toFixed(2)} ${(-25 * Math.cos(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A25 25 0 ${(to - from) * SWEEP > 180 ? 1 : 0} 1 ${at(to)}`;
}

/** A mark for each place of a stepped knob, and one for the middle of one with two sides. */
function ticks(spec) {
  const places = [];
  if (spec.whole && spec.high - spec.low <= 24) {
    for (let value = spec.low; value <= spec.high; value++) places.push(position(spec, value));
  } else if (spec.low < 0 && spec.high > 0 && spec.taper !== "log") places.push(position(spec, 0));
  return places.map((place) => svg("line", { class: "mx-tick", x1: 0, x2: 0, y1: -28.5, y2: -31,
    transform: `rotate(${SWEEP * (place - 0.5)})` }));
}
