// The knob of `widgets/knob.py`: one dial, whose value lives in the model, so that all its views stay in step.
import { dial } from "./dial.js";
import { h } from "../studio/rendering/player/dom.js";
import { goneNote } from "./gone.js";
import { makeWritten } from "./written.js";

function render({ model, el }) {
  const root = h("div", { class: "mx" }, goneNote(model));
  let queued = 0;
  const written = makeWritten(model);
  const flush = () => { queued = 0; model.save_changes(); };
  const knob = dial({ ...model.get("spec"), value: model.get("value") }, {
    turn(value, moving) {
      model.set("value", value);
      if (moving) queued ||= requestAnimationFrame(flush); // at most one message a picture
      else { cancelAnimationFrame(queued); model.set("committed", value); flush(); }
    },
    type: (text) => written.send({ text }),
    learn: (cc) => { model.set("cc", cc); model.save_changes(); },
  }, { drag: model.get("drag"), cc: model.get("cc") });
  const changed = () => knob.show(model.get("value"));
  const told = (message) => {
    if (message.kind !== "read") return;
    written.answered(message);
    if (message.refused) knob.say(message.refused);
  };
  const wired = () => knob.wire(model.get("cc"));
  model.on("change:value", changed);
  model.on("change:cc", wired);
  model.on("msg:custom", told);
  root.append(knob.el);
  el.append(root);
  return () => { knob.stop(); model.off("change:value", changed); model.off("change:cc", wired);
    model.off("msg:custom", told); };
}
export default { render };
