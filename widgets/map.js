// The map of `widgets/map.py`: points to click and hear.
import { h } from "../studio/rendering/player/dom.js";
import { sharp } from "../studio/rendering/player/wave.js";
import { deskOf, openDesk } from "./desk.js";
import { goneNote } from "./gone.js";

const MARGIN = 26, NEAR = 24;

function render({ model, el }) {
  const desk = deskOf(model), { deck } = desk, points = model.get("points");
  const canvas = h("canvas", { tabindex: 0, role: "listbox", "aria-label": `${model.get("title")}: arrow keys move, Enter plays` });
  const said = h("span", { class: "mx-clock", role: "status" });
  const root = h("div", { class: "mx mx-rack", role: "group", "aria-label": model.get("title") }, goneNote(model),
    h("div", { class: "mx-bar" }, h("strong", { class: "mx-title" }, model.get("title")), said), h("div", { class: "mx-picture mx-map" }, canvas));
  let near = -1;
  const chosen = () => points.findIndex(([name]) => name === model.get("chosen"));
  const place = ([, x, y]) => [MARGIN + x * (canvas.clientWidth - 2 * MARGIN), canvas.clientHeight - MARGIN - y * (canvas.clientHeight - 2 * MARGIN)];
  const nearest = (event) => {
    const box = canvas.getBoundingClientRect();
    let best = -1, least = NEAR;
    points.forEach((point, index) => {
      const [x, y] = place(point), far = Math.hypot(event.clientX - box.x - x, event.clientY - box.y - y);
      if (far < least) { least = far; best = index; }
    });
    return best;
  };
  function hear(index) {
    if (index < 0) return;
    model.set("chosen", points[index][0]);
    model.save_changes();
    deck.pause();
    deck.tracks.forEach((_, track) => deck.setTrack(track, track === index));
    deck.setLoop(null);
    deck.seek(0);
    deck.play();
    clearTimeout(desk.over);
    desk.over = setTimeout(() => deck.pause(), (points[index][3] / deck.rate) * 1000 + 300);
  }
  canvas.addEventListener("pointermove", (event) => { near = nearest(event); canvas.style.cursor = near < 0 ? "default" : "pointer"; paint(); });
  canvas.addEventListener("pointerleave", () => { near = -1; paint(); });
  canvas.addEventListener("pointerdown", (event) => { canvas.focus({ preventScroll: true }); hear(nearest(event)); event.preventDefault(); });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const here = Math.max(0, chosen());
    if (event.key === "Enter" || event.key === " ") hear(here);
    else if (way) {
      let best = -1, least = Infinity;
      points.forEach(([, x, y], index) => {
        const dx = x - points[here][1], dy = y - points[here][2], along = dx * way[0] + dy * way[1];
        const far = along + 2 * Math.abs(dx * way[1] - dy * way[0]);
        if (index !== here && along > 0 && far < least) { least = far; best = index; }
      });
      hear(best);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  function paint() {
    const { context, width, height } = sharp(canvas);
    const colours = getComputedStyle(root), colour = (name) => colours.getPropertyValue(`--mx-${name}`).trim();
    const now = chosen();
    context.strokeStyle = colour("line");
    for (let step = 1; step < 4; step++) {
      context.beginPath();
      context.moveTo((width * step) / 4, 0); context.lineTo((width * step) / 4, height);
      context.moveTo(0, (height * step) / 4); context.lineTo(width, (height * step) / 4);
      context.stroke();
    }
    context.font = "11px system-ui, sans-serif";
    points.forEach((point, index) => {
      const [x, y] = place(point), lit = index === now || index === near;
      context.fillStyle = colour(index === now ? "warm" : "wave");
      context.globalAlpha = lit ? 1 : 0.75;
      context.beginPath();
      context.arc(x, y, lit ? 8 : 5.5, 0, 2 * Math.PI);
      context.fill();
      context.globalAlpha = 1;
      if (!lit && points.length > 40) return;
      context.fillStyle = colour(lit ? "ink" : "faint");
      const words = point[0].slice(0, 28), long = context.measureText(words).width;
      context.fillText(words, x + 11 + long > width ? x - 11 - long : x + 11, y + 4);
    });
    said.textContent = now < 0 ? `${points.length} sounds: click one` : points[now][0];
  }
  const watch = new ResizeObserver(() => requestAnimationFrame(paint));
  watch.observe(canvas);
  model.on("change:chosen", paint);
  el.append(root);
  return () => { watch.disconnect(); model.off("change:chosen", paint); };
}
export default { initialize: ({ model }) => openDesk(model), render };
