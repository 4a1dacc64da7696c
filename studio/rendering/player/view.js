// The face of a deck: transport, picture with zoom and loop, and a row for each stem.
import { h } from "./dom.js";
import { clock, drawWave, sharp, timeStep } from "./wave.js";

const RULER = 16; // pixels of the time axis, on which loops are drawn
const STEP_SECONDS = 1;

/**
 * @typedef {object} Desk  What views of one sound share.
 * @property {Deck} deck
 * @property {{peaks: Int8Array, step: number, spectrum?: ImageBitmap, loudness?: number[]}[]} pictures  one for each track
 * @property {[number, number]|null} view  the frames that are shown; all when null
 * @property {{mute: Set<number>, solo: Set<number>}} mixer
 * @property {string} state  what is going on, in words
 * @property {Set<() => void>} views  called when anything changes
 */

export function makeDesk(deck) {
  const desk = { deck, pictures: [], view: null, mixer: { mute: new Set(), solo: new Set() }, state: "", bad: false, views: new Set() };
  desk.changed = () => { for (const view of desk.views) view(); };
  deck.onchange = desk.changed;
  let silent = "";
  deck.onsilent = (words) => {
    if (words === silent) return;
    [silent, desk.state, desk.bad] = [words, words, Boolean(words)];
    desk.changed();
  };
  return desk;
}

/** Track 0 is the mix; the others are its stems, which play in its place once one of them is muted or solo. */
export function applyMixer({ deck, mixer }) {
  const stems = mixer.mute.size + mixer.solo.size > 0;
  deck.tracks.forEach((_, index) => {
    const audible = mixer.solo.size ? mixer.solo.has(index) : !mixer.mute.has(index);
    deck.setTrack(index, index === 0 ? !stems : stems && audible);
  });
}

export function playerView(desk, { label = "Player", stems: withStems = true } = {}) {
  const { deck } = desk;
  let face = "wave", drag = null, frameRequest = 0;
  const play = h("button", { class: "mx-button mx-play", type: "button", "aria-label": "Play", "aria-pressed": "false",
    onclick: () => (deck.playing ? deck.pause() : deck.play()) });
  const loop = h("button", { class: "mx-button", type: "button", "aria-pressed": "false", title: "Loop the region, or all (L)",
    onclick: toggleLoop }, "Loop");
  const now = h("span", { class: "mx-clock" });
  const state = h("span", { class: "mx-state", role: "status" });
  const meter = h("i");
  const faces = ["wave", "spectrum", "loudness"].map((name) => h("button", { type: "button", "aria-pressed": String(name === face),
    onclick: () => { face = name; faces.forEach((each) => each.setAttribute("aria-pressed", String(each.textContent === name))); draw(); } }, name));
  const canvas = h("canvas", { role: "slider", tabindex: 0, "aria-label": `${label}: position`, "aria-valuemin": 0 });
  const rows = h("div", { class: "mx-stems" });
  const el = h("div", { class: "mx-player", role: "group", "aria-label": label },
    h("div", { class: "mx-bar" }, play, loop, now, state, h("span", { class: "mx-space" }),
      h("span", { class: "mx-tabs", role: "group", "aria-label": "Picture" }, ...faces),
      h("span", { class: "mx-meter mx-vu", title: "Level" }, meter)),
    h("div", { class: "mx-picture" }, canvas), rows);
  const stems = [];

  const span = () => desk.view ?? [0, Math.max(1, deck.frames)];
  const frameAt = (event) => {
    const box = canvas.getBoundingClientRect(), [from, to] = span();
    return Math.min(deck.frames, Math.max(0, from + ((event.clientX - box.x) / box.width) * (to - from)));
  };
  function toggleLoop() {
    deck.setLoop(deck.loop ? null : desk.view ? desk.view.map(Math.round) : [0, deck.frames]);
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !deck.frames) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const ruler = event.clientY - canvas.getBoundingClientRect().y < RULER;
    drag = { from: frameAt(event), x: event.clientX, ruler: ruler || event.shiftKey, moved: false };
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (Math.abs(event.clientX - drag.x) > 3) drag.moved = true;
    drag.to = frameAt(event);
    if (drag.moved) draw();
  });
  canvas.addEventListener("pointerup", () => {
    if (!drag) return;
    const { from, to, moved } = drag;
    drag = null;
    if (moved) deck.setLoop([Math.min(from, to), Math.max(from, to)]);
    else deck.seek(from);
    draw();
  });
  canvas.addEventListener("pointercancel", () => { drag = null; draw(); });
  canvas.addEventListener("wheel", (event) => {
    if (!(event.ctrlKey || event.metaKey || document.activeElement === canvas) || !deck.frames) return;
    event.preventDefault();
    event.stopPropagation();
    const [from, to] = span(), centre = frameAt(event);
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      shift(((event.deltaX || event.deltaY) / 600) * (to - from));
    } else zoom(event.deltaY < 0 ? 0.8 : 1.25, centre);
  }, { passive: false });
  function zoom(factor, centre) {
    const [from, to] = span();
    const width = Math.max(deck.rate / 20, (to - from) * factor);
    const start = centre - ((centre - from) / (to - from)) * width;
    if (width >= deck.frames) desk.view = null;
    else {
      const begin = Math.max(0, Math.min(start, deck.frames - width));
      desk.view = [begin, begin + width];
    }
    desk.changed();
  }
  function shift(by) {
    if (!desk.view) return;
    const width = desk.view[1] - desk.view[0], from = Math.max(0, Math.min(desk.view[0] + by, deck.frames - width));
    desk.view = [from, from + width];
    desk.changed();
  }
  el.addEventListener("keydown", (event) => {
    if (event.target.closest("button, input, select") && event.target !== canvas) return;
    const second = deck.rate * STEP_SECONDS, at = deck.position;
    if (event.key === " ") play.click();
    else if (event.key === "l") toggleLoop();
    else if (event.key === "ArrowRight") deck.seek(at + second);
    else if (event.key === "ArrowLeft") deck.seek(at - second);
    else if (event.key === "Home") deck.seek(0);
    else if (event.key === "End") deck.seek(deck.frames);
    else if (event.key === "+") zoom(0.5, at);
    else if (event.key === "-") zoom(2, at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function build() {
    if (!withStems || stems.length === Math.max(0, deck.tracks.length - 1) && stems.every((stem, at) => stem.name === deck.tracks[at + 1].name)) return;
    stems.length = 0;
    rows.replaceChildren();
    deck.tracks.slice(1).forEach(({ name }, order) => {
      const index = order + 1;
      const press = (set, word, letter) => h("button", { class: "mx-small", type: "button", "aria-pressed": "false",
        "aria-label": `${word} ${name}`, title: word, onclick: () => {
          const chosen = desk.mixer[set];
          if (!chosen.delete(index)) chosen.add(index);
          applyMixer(desk);
          desk.changed();
        } }, letter);
      const stem = { name, mute: press("mute", "Mute", "M"), solo: press("solo", "Solo", "S"), canvas: h("canvas"), meter: h("i") };
      stems.push(stem);
      rows.append(h("span", { class: "mx-name", title: name }, name), stem.mute, stem.solo, stem.canvas, h("span", { class: "mx-meter" }, stem.meter));
    });
  }

  function draw() {
    if (!el.isConnected || !canvas.clientWidth) return;
    build();
    play.setAttribute("aria-pressed", String(deck.playing));
    play.setAttribute("aria-label", deck.playing ? "Pause" : "Play");
    play.disabled = !deck.frames;
    loop.setAttribute("aria-pressed", String(Boolean(deck.loop)));
    const { mute, solo } = desk.mixer;
    state.textContent = desk.state || (mute.size + solo.size ? "stems, before the master chain" : "");
    state.classList.toggle("mx-bad", desk.bad);
    const colours = getComputedStyle(el), colour = (name) => colours.getPropertyValue(`--mx-${name}`).trim();
    paintPicture(colour);
    stems.forEach((stem, order) => {
      const index = order + 1, solo = desk.mixer.solo;
      stem.mute.setAttribute("aria-pressed", String(desk.mixer.mute.has(index)));
      stem.solo.setAttribute("aria-pressed", String(solo.has(index)));
      const audible = solo.size ? solo.has(index) : !desk.mixer.mute.has(index);
      const surface = sharp(stem.canvas), picture = desk.pictures[index];
      surface.context.globalAlpha = audible ? 1 : 0.25;
      if (picture) {
        picture.top ??= picture.peaks.reduce((top, peak) => Math.max(top, Math.abs(peak)), 8);
        const { height } = surface;
        drawWave(surface, picture.peaks, picture.step, span(), colour("wave"), height / 2, (height / 2 - 2) * (127 / picture.top));
      }
    });
    tick();
  }

  function paintPicture(colour) {
    const surface = sharp(canvas), { context, width, height } = surface, [from, to] = span(), picture = desk.pictures[0];
    const x = (frame) => ((frame - from) / (to - from)) * width;
    const region = drag?.moved ? [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)] : deck.loop;
    if (picture && face === "spectrum" && picture.spectrum) {
      context.imageSmoothingEnabled = true;
      const { spectrum } = picture, scale = spectrum.width / (picture.columns ?? deck.frames);
      context.drawImage(spectrum, from * scale, 0, (to - from) * scale, spectrum.height, 0, RULER, width, height - RULER);
      label("10 kHz", 10_000); label("1 kHz", 1_000); label("100 Hz", 100);
      function label(words, hertz) {
        const y = height - (height - RULER) * Math.log(hertz / 40) / Math.log(Math.min(18_000, deck.rate / 2) / 40);
        context.fillStyle = "rgb(255 255 255 / 70%)";
        context.font = "11px system-ui, sans-serif";
        context.fillText(words, 4, y + 3);
      }
    } else if (picture && face === "loudness" && picture.loudness) {
      const y = (lufs) => RULER + (height - RULER) * (1 - (Math.min(0, Math.max(-50, lufs)) + 50) / 50);
      for (const lufs of [-14, -23, -36]) {
        context.fillStyle = colour("line");
        context.fillRect(0, y(lufs), width, 1);
        context.fillStyle = colour("faint");
        context.font = "11px system-ui, sans-serif";
        context.fillText(`${lufs} LUFS`, 4, y(lufs) - 3);
      }
      context.strokeStyle = colour("warm");
      context.lineWidth = 1.6;
      context.beginPath();
      picture.loudness.forEach((lufs, index) => context.lineTo(x((index * 0.1 + 3) * deck.rate), y(lufs)));
      context.stroke();
    } else if (picture) {
      drawWave(surface, picture.peaks, picture.step, [from, to], colour("wave"), (height + RULER) / 2, (height - RULER) / 2 - 4);
    }
    if (region) {
      context.fillStyle = colour("warm");
      context.globalAlpha = 0.13;
      context.fillRect(x(region[0]), 0, x(region[1]) - x(region[0]), height);
      context.globalAlpha = 1;
      context.fillRect(x(region[0]), 0, x(region[1]) - x(region[0]), 3);
    }
    context.fillStyle = colour("faint");
    context.font = "11px system-ui, sans-serif";
    const step = timeStep((to - from) / deck.rate, width), digits = step < 1 ? (step < 0.1 ? 2 : 1) : 0;
    for (let at = Math.ceil(from / deck.rate / step) * step; at * deck.rate < to; at += step) {
      const place = x(at * deck.rate);
      context.fillRect(place, RULER - 4, 1, 4);
      if (place > width - 30) continue;
      context.fillText(clock(at, digits), place + 3, RULER - 5);
    }
    context.fillStyle = colour("line");
    context.fillRect(0, RULER, width, 1);
  }

  const head = h("div", { class: "mx-head" });
  head.style.cssText = "position:absolute;top:0;bottom:0;left:0;width:1.5px;background:var(--mx-ink);pointer-events:none;will-change:transform";
  canvas.after(head);

  /** What moves while it plays. */
  function tick() {
    cancelAnimationFrame(frameRequest);
    const at = deck.position, [from, to] = span();
    const place = ((at - from) / (to - from)) * canvas.clientWidth;
    head.style.transform = `translateX(${place}px)`;
    head.hidden = place < 0 || place > canvas.clientWidth || !deck.frames;
    now.replaceChildren(clock(at / deck.rate, 1), h("small", {}, ` / ${clock(deck.frames / deck.rate, 1)}`));
    canvas.setAttribute("aria-valuenow", (at / deck.rate).toFixed(1));
    canvas.setAttribute("aria-valuemax", (deck.frames / deck.rate).toFixed(1));
    canvas.setAttribute("aria-valuetext", `${clock(at / deck.rate)} of ${clock(deck.frames / deck.rate)}`);
    let loudest = 0;
    deck.tracks.forEach((track, index) => {
      const peak = track.on ? deck.peak(index) : 0;
      loudest = Math.max(loudest, peak);
      if (index) show(stems[index - 1]?.meter, peak);
    });
    show(meter, loudest);
    if (deck.playing && el.isConnected) frameRequest = requestAnimationFrame(tick);
  }
  function show(bar, peak) {
    if (!bar) return;
    const place = Math.min(1, Math.max(0, (20 * Math.log10(Math.max(peak, 1e-4)) + 60) / 60));
    bar.level = Math.max(place, (bar.level ?? 0) - 0.02);
    bar.style.clipPath = `inset(0 ${100 - 100 * (deck.playing ? bar.level : 0)}% 0 0)`;
  }

  desk.views.add(draw);
  const watch = new ResizeObserver(() => requestAnimationFrame(draw));
  watch.observe(canvas);
  return { el, draw, stop: () => { desk.views.delete(draw); watch.disconnect(); cancelAnimationFrame(frameRequest); } };
}
