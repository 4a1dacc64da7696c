// What a widget says once the kernel behind it is gone.
import { h } from "../studio/rendering/player/dom.js";

const ENDS = ["restarting", "autorestarting", "terminating", "dead"];

/** A note that shows itself when the kernel stops. The style sheet does so too where the host marks dead widgets. */
export function goneNote(model) {
  const note = h("p", { class: "mx-gone", role: "status" },
    "The kernel has stopped or was restarted, so nothing here can change. Run the cell again.");
  const kernel = model.widget_manager?.kernel;
  const heard = (_, status) => {
    if (ENDS.includes(status)) note.classList.add("mx-shown");
    if (!note.isConnected) kernel.statusChanged.disconnect(heard);
  };
  kernel?.statusChanged?.connect(heard);
  return note;
}
