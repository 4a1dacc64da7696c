// Values that somebody wrote: Python reads them as a file would be read, and says when it has.

/** The values written in one view of a widget. */
export function makeWritten(model) {
  const unread = new Map(); // by token, since all views of a widget hear every answer
  return {
    /** Send what was written; done once Python has read it, whether it could use it or not. */
    send: (content) => new Promise((read) => {
      const token = Math.random().toString(36);
      unread.set(token, read);
      model.send({ kind: "type", token, ...content });
    }),
    answered({ token }) { unread.get(token)?.(); unread.delete(token); },
  };
}
