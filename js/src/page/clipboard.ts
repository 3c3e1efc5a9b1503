/** Putting something on the clipboard, where the browser has one and allows it. */

/**
 * Put something there, of one type or several; false if that cannot be.
 *
 * What takes its time to be made is given as a promise: the browser asks that the clipboard is
 * written to at once when a person asks for it.
 */
export async function copy(what: Record<string, Blob | Promise<Blob>>): Promise<boolean> {
  // Where there is no clipboard nobody waits for what is made, and it may fail all the same.
  for (const each of Object.values(what)) Promise.resolve(each).catch(() => {});
  try {
    // Pages that came without encryption from another computer have no clipboard.
    await navigator.clipboard.write([new ClipboardItem(what)]);
    return true;
  } catch (error) {
    console.warn("udfwidgets: nothing was copied", error);
    return false;
  }
}
