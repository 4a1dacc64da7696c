// The comparison of `widgets/compare.py`: all sounds run together, one is heard.
import { h } from "../studio/rendering/player/dom.js";
import { playerView } from "../studio/rendering/player/view.js";
import { sharp } from "../studio/rendering/player/wave.js";
import { deskOf, openDesk } from "./desk.js";
import { goneNote } from "./gone.js";

function render({ model, el }) {
  const desk = deskOf(model), { deck } = desk, names = model.get("names");
  const player = playerView(desk, { label: "Compare", stems: false });
  const all = [...names, "X", "difference"];
  const listen = (index) => {
    desk.chosen = index;
    deck.tracks.forEach((_, track) => deck.setTrack(track, track === index));
    desk.changed();
  };
  const tabs = all.map((name, index) => h("button", { type: "button", class: "mx-button", "aria-pressed": "false",
    title: name === "X" ? "One of the first two: which?" : name === "difference" ? "The first less the second, as they are" : `Key ${index + 1}`,
    onclick: () => listen(index) }, name));
  const answers = names.slice(0, 2).map((name) => h("button", { type: "button", class: "mx-button",
    onclick: () => model.send({ kind: "answer", is: name }) }, `X is ${name}`));
  const reveal = h("button", { type: "button", class: "mx-button", onclick: () => model.send({ kind: "reveal" }) }, "Result");
  const result = h("div", { class: "mx-result", role: "status" });
  const canvas = h("canvas", { class: "mx-tilt", role: "img", "aria-label": `${names[1]} against ${names[0]}, by frequency` });
  const facts = h("p", { class: "mx-state" });
  const root = h("div", { class: "mx mx-rack", role: "group", "aria-label": "Compare" }, goneNote(model), player.el,
    h("div", { class: "mx-bar", role: "group", "aria-label": "Listen to" }, ...tabs),
    h("div", { class: "mx-bar", role: "group", "aria-label": "Blind test" }, h("strong", {}, "Blind"), ...answers, reveal, result), canvas, facts);
  root.addEventListener("keydown", (event) => {
    const index = Number(event.key) - 1;
    if (index >= 0 && index < all.length) { listen(index); event.preventDefault(); event.stopPropagation(); }
  });

  function paint() {
    tabs.forEach((tab, index) => tab.setAttribute("aria-pressed", String(index === (desk.chosen ?? 0))));
    const { null: nothing, gains, spectrum } = model.get("facts");
    facts.textContent = [nothing === null ? "they are the same, sample for sample" : `their difference peaks at ${nothing.toFixed(1)} dBFS`,
      ...names.map((name, index) => gains[index] ? `${name} is turned down by ${-gains[index]} dB` : null).filter(Boolean)].join(" · ");
    const surface = sharp(canvas), { context, width, height } = surface;
    const colours = getComputedStyle(root), colour = (name) => colours.getPropertyValue(`--mx-${name}`).trim();
    const most = Math.max(3, ...spectrum.map(([, level]) => Math.abs(level)));
    const x = (hertz) => (Math.log(hertz / 30) / Math.log(18_000 / 30)) * width, y = (level) => height / 2 - (level / most) * (height / 2 - 12);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colour("line");
    context.fillRect(0, height / 2, width, 1);
    for (const [hertz, words] of [[100, "100 Hz"], [1000, "1 kHz"], [10_000, "10 kHz"]]) {
      context.fillStyle = colour("line"); context.fillRect(x(hertz), 0, 1, height);
      context.fillStyle = colour("faint"); context.fillText(words, x(hertz) + 3, height - 3);
    }
    context.fillText(`+${most.toFixed(0)} dB`, 3, 11);
    context.strokeStyle = colour("warm");
    context.lineWidth = 1.8;
    context.beginPath();
    for (const [hertz, level] of spectrum) context.lineTo(x(hertz), y(level));
    context.stroke();
  }
  function scored() {
    const { trials, right, chance, table } = model.get("score");
    result.replaceChildren(trials ? `${trials} answered` : "play X, then say which it is");
    if (table) {
      result.replaceChildren(`${right} of ${trials} right; by chance ${(100 * chance).toFixed(1)} %`,
        h("table", {}, h("tr", {}, h("th", {}, "X was"), h("th", {}, "answer")),
          ...table.map(([was, answer]) => h("tr", { class: was === answer ? "mx-right" : "mx-missed" }, h("td", {}, was), h("td", {}, answer)))));
    }
    // A new X is another sound under the same name: nothing of the old one may be heard.
    const hidden = deck.tracks[names.length]?.reel;
    if (hidden) hidden.pieces = hidden.pieces.filter((piece) => piece.version >= deck.version);
    listen(desk.chosen ?? 0);
  }
  model.on("change:score", scored);
  desk.views.add(paint);
  scored();
  el.append(root);
  requestAnimationFrame(() => { player.draw(); paint(); listen(desk.chosen ?? 0); });
  return () => { model.off("change:score", scored); desk.views.delete(paint); player.stop(); };
}
export default { initialize: ({ model }) => openDesk(model), render };
