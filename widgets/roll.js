// The piano roll of `widgets/roll.py`: notes over the sound they make.
import { h } from "../studio/rendering/player/dom.js";
import { playerView } from "../studio/rendering/player/view.js";
import { drawWave, sharp } from "../studio/rendering/player/wave.js";
import { deskOf, openDesk } from "./desk.js";
import { goneNote } from "./gone.js";

const EDGE = 7; // pixels at the end of a note that change its length
const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

function render({ model, el }) {
  const desk = deskOf(model), { deck } = desk;
  const player = playerView(desk, { label: model.get("title"), stems: false });
  const canvas = h("canvas", { tabindex: 0, role: "application", "aria-label": `${model.get("title")}: arrow keys move the selected notes` });
  const grid = h("select", { "aria-label": "Grid" }, ...model.get("grids").map((name) => h("option", { value: name }, name)));
  grid.value = "1/16";
  const snap = h("button", { type: "button", class: "mx-button", "aria-pressed": "true", onclick: () => snap.setAttribute("aria-pressed", String(snap.getAttribute("aria-pressed") !== "true")) }, "Snap");
  const undo = h("button", { type: "button", class: "mx-button", "aria-label": "Undo", onclick: () => model.send({ kind: "undo" }) }, "↶");
  const quantise = h("button", { type: "button", class: "mx-button", onclick: () => model.send({ kind: "quantise", grid: grid.value }) }, "Quantise");
  const said = h("span", { class: "mx-state", role: "status" });
  const root = h("div", { class: "mx mx-rack", role: "group", "aria-label": model.get("title") }, goneNote(model), player.el,
    h("div", { class: "mx-picture mx-roll" }, canvas),
    h("div", { class: "mx-bar mx-choices" }, grid, snap, quantise, undo, said));
  let notes = [], chosen = new Set(), held = null, low = 48, high = 72;

  const anchors = model.get("beats");
  function second(beat) {
    const index = Math.max(0, Math.min(anchors.length - 2, Math.floor(beat)));
    const [from, at] = anchors[index], [to, after] = anchors[index + 1];
    return at + ((beat - from) / (to - from)) * (after - at);
  }
  function beatAt(time) {
    let begin = 0, end = anchors.length - 2;
    while (begin < end) {
      const middle = (begin + end + 1) >> 1;
      if (anchors[middle][1] <= time) begin = middle; else end = middle - 1;
    }
    const [from, at] = anchors[begin], [to, after] = anchors[begin + 1];
    return from + ((time - at) / (after - at)) * (to - from);
  }
  const view = () => desk.view ?? [0, Math.max(1, deck.frames)];
  const x = (beat) => { const [from, to] = view(); return ((second(beat) * deck.rate - from) / (to - from)) * canvas.clientWidth; };
  const beatOf = (event) => { const [from, to] = view(), box = canvas.getBoundingClientRect(); return beatAt((from + ((event.clientX - box.x) / box.width) * (to - from)) / deck.rate); };
  const row = () => canvas.clientHeight / (high - low + 1);
  const y = (pitch) => (high - pitch) * row();
  const pitchOf = (event) => high - Math.floor((event.clientY - canvas.getBoundingClientRect().y) / row());
  const step = () => { const [, part, triplet] = grid.value.match(/^1\/(\d+)(t?)$/); return (4 / Number(part)) * (triplet ? 2 / 3 : 1); };
  const snapped = (beat, event) => (snap.getAttribute("aria-pressed") === "true" && !event.shiftKey ? Math.round(beat / step()) * step() : beat);
  const called = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

  function hit(event) {
    const box = canvas.getBoundingClientRect(), at = event.clientX - box.x, pitch = pitchOf(event);
    for (let index = notes.length - 1; index >= 0; index--) {
      const [start, long, own] = notes[index];
      if (own === pitch && at >= x(start) - 1 && at <= Math.max(x(start + long), x(start) + 5)) {
        return { index, edge: x(start + long) - at < EDGE && x(start + long) - x(start) > 2 * EDGE };
      }
    }
    return null;
  }
  function send() {
    const ear = deck.playing ? { at: deck.position, loop: deck.loop, asked: performance.now() } : null;
    model.send({ kind: "notes", notes, ear });
  }
  function take() {
    notes = model.get("notes").map((note) => [...note]);
    const pitches = notes.map((note) => note[2]);
    low = Math.max(0, Math.min(...pitches, 60) - 3);
    high = Math.min(127, Math.max(...pitches, 67) + 3);
    chosen = new Set([...chosen].filter((index) => index < notes.length));
    undo.disabled = !model.get("past");
    paint();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    const found = hit(event);
    if (!found) {
      chosen.clear();
      held = { box: [event.offsetX, event.offsetY], to: [event.offsetX, event.offsetY] };
    } else {
      if (!chosen.has(found.index)) { if (!event.ctrlKey && !event.metaKey) chosen.clear(); chosen.add(found.index); }
      held = { ...found, beat: beatOf(event), pitch: pitchOf(event), y: event.clientY, before: notes.map((note) => [...note]), moved: false };
    }
    paint();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) { const found = hit(event); canvas.style.cursor = found ? (found.edge ? "ew-resize" : "grab") : "crosshair"; return; }
    if (held.box) {
      held.to = [event.offsetX, event.offsetY];
      const [left, right] = [held.box[0], held.to[0]].sort((one, other) => one - other), [top, bottom] = [held.box[1], held.to[1]].sort((one, other) => one - other);
      chosen = new Set(notes.flatMap(([start, long, pitch], index) => x(start + long) >= left && x(start) <= right && y(pitch) + row() >= top && y(pitch) <= bottom ? [index] : []));
      paint();
      return;
    }
    const first = held.before[held.index], by = beatOf(event) - held.beat, rise = pitchOf(event) - held.pitch;
    for (const index of chosen) {
      const [start, long, pitch, velocity] = held.before[index];
      if (event.altKey) notes[index] = [start, long, pitch, Math.max(1, Math.min(127, Math.round(velocity + (held.y - event.clientY) / 2)))];
      else if (held.edge) notes[index] = [start, Math.max(1 / 16, snapped(first[0] + first[1] + by, event) - first[0] - first[1] + long), pitch, velocity];
      else notes[index] = [Math.max(0, start + snapped(first[0] + by, event) - first[0]), long, Math.max(0, Math.min(127, pitch + rise)), velocity];
    }
    held.moved = true;
    paint();
  });
  const drop = () => { const moved = held?.moved; held = null; paint(); if (moved) send(); };
  canvas.addEventListener("pointerup", drop);
  canvas.addEventListener("pointercancel", drop);
  canvas.addEventListener("dblclick", (event) => {
    const found = hit(event);
    if (found) notes.splice(found.index, 1);
    else notes.push([Math.max(0, Math.floor(beatOf(event) / step()) * step()), step(), pitchOf(event), 90]);
    chosen.clear();
    send();
  });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-step(), 0, 0], ArrowRight: [step(), 0, 0], ArrowUp: [0, event.shiftKey ? 12 : 1, 0], ArrowDown: [0, event.shiftKey ? -12 : -1, 0],
      "+": [0, 0, 8], "-": [0, 0, -8] }[event.key];
    if (event.key === " ") { if (deck.playing) deck.pause(); else deck.play(); }
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) chosen = new Set(notes.keys());
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) model.send({ kind: "undo" });
    else if ((event.key === "Delete" || event.key === "Backspace") && chosen.size) {
      notes = notes.filter((_, index) => !chosen.has(index));
      chosen.clear();
      send();
    } else if (move && chosen.size) {
      for (const index of chosen) {
        const [start, long, pitch, velocity] = notes[index];
        notes[index] = [Math.max(0, start + move[0]), long, Math.max(0, Math.min(127, pitch + move[1])), Math.max(1, Math.min(127, velocity + move[2]))];
      }
      send();
    } else return;
    event.preventDefault();
    event.stopPropagation();
    paint();
  });

  function paint() {
    if (!canvas.clientWidth) return;
    const surface = sharp(canvas), { context, width, height } = surface, size = row();
    const colours = getComputedStyle(root), colour = (name) => colours.getPropertyValue(`--mx-${name}`).trim();
    for (let pitch = low; pitch <= high; pitch++) {
      if ([1, 3, 6, 8, 10].includes(pitch % 12)) { context.fillStyle = colour("panel"); context.fillRect(0, y(pitch), width, size); }
    }
    const [from, to] = view(), first = Math.max(0, Math.floor(beatAt(from / deck.rate))), last = Math.ceil(beatAt(to / deck.rate));
    for (let beat = first; beat <= Math.min(last, anchors.length - 1); beat++) {
      if (beat % 4 && (last - first) * 10 > width) continue;
      context.fillStyle = colour(beat % 4 ? "line" : "track");
      context.fillRect(x(beat), 0, beat % 4 ? 1 : 1.5, height);
    }
    const picture = desk.pictures[model.get("track")];
    if (picture) {
      picture.top ??= picture.peaks.reduce((top, peak) => Math.max(top, Math.abs(peak)), 8);
      context.globalAlpha = 0.14;
      drawWave(surface, picture.peaks, picture.step, [from, to], colour("wave"), height / 2, (height / 2) * (127 / picture.top));
      context.globalAlpha = 1;
    }
    notes.forEach(([start, long, pitch, velocity], index) => {
      const left = x(start), wide = Math.max(3, x(start + long) - left - 1);
      if (left + wide < 0 || left > width) return;
      context.fillStyle = colour(chosen.has(index) ? "warm" : "wave");
      context.globalAlpha = 0.35 + 0.65 * (velocity / 127);
      context.beginPath();
      context.roundRect(left, y(pitch) + 0.5, wide, Math.max(2, size - 1), Math.min(3, size / 3));
      context.fill();
      context.globalAlpha = 1;
    });
    context.font = "11px system-ui, sans-serif";
    for (let pitch = low; pitch <= high; pitch++) {
      if (pitch % 12) continue;
      context.fillStyle = colour("faint");
      context.fillText(called(pitch), 3, y(pitch) + size - 1);
    }
    if (held?.box) {
      context.strokeStyle = colour("focus");
      context.strokeRect(held.box[0], held.box[1], held.to[0] - held.box[0], held.to[1] - held.box[1]);
    }
    const only = chosen.size === 1 ? notes[[...chosen][0]] : null;
    said.textContent = only ? `${called(only[2])}, velocity ${only[3]}, beat ${(only[0] + 1).toFixed(2)}` : chosen.size ? `${chosen.size} of ${notes.length} notes` : `${notes.length} notes`;
  }
  const watch = new ResizeObserver(() => requestAnimationFrame(paint));
  watch.observe(canvas);
  desk.views.add(paint);
  model.on("change:notes", take);
  model.on("change:past", take);
  take();
  el.append(root);
  requestAnimationFrame(player.draw);
  return () => { watch.disconnect(); desk.views.delete(paint); model.off("change:notes", take); model.off("change:past", take); player.stop(); };
}
export default { initialize: ({ model }) => openDesk(model), render };
