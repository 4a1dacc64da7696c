// The player of `widgets/player.py`.
import { h } from "../studio/rendering/player/dom.js";
import { playerView } from "../studio/rendering/player/view.js";
import { deskOf, openDesk } from "./desk.js";
import { goneNote } from "./gone.js";

function render({ model, el }) {
  const player = playerView(deskOf(model), { label: model.get("title") || "Player" });
  el.append(h("div", { class: "mx" }, goneNote(model), player.el));
  requestAnimationFrame(player.draw);
  return player.stop;
}
export default { initialize: ({ model }) => openDesk(model), render };
