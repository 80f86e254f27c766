// A page lives on the connection that its server opened for it. When that is cut, or never opens, the page says so, asks until its server is
// well, and loads itself again: after a deployment, from the one that took its place.
{
  const kept = "myapp.again"; // how often in a row it was loaded again without a connection that lasted
  const lasting = 10_000; // milliseconds
  const longest = 60_000;
  let leaving = false;
  let asking = false;
  addEventListener("pagehide", () => { leaving = true });
  addEventListener("pageshow", () => { leaving = false });

  const wait = (time) => new Promise((done) => setTimeout(done, time));

  const well = async () => {
    try {
      return (await fetch("healthz", { cache: "no-store", signal: AbortSignal.timeout(10_000) })).ok;
    } catch {
      return false; // nobody answers
    }
  };

  const again = async () => {
    if (asking || leaving) return;
    asking = true;
    for (const each of document.querySelectorAll(".lost")) each.hidden = false;
    const times = Number(sessionStorage.getItem(kept) ?? 0);
    sessionStorage.setItem(kept, times + 1);
    await wait(Math.min(500 * 2 ** times, longest));
    while (!(await well())) await wait(1000);
    if (!leaving) location.reload();
  };

  window.WebSocket = class extends WebSocket {
    constructor(...to) {
      super(...to);
      let lasts;
      this.addEventListener("open", () => { lasts = setTimeout(() => sessionStorage.removeItem(kept), lasting) });
      this.addEventListener("close", () => {
        clearTimeout(lasts);
        again();
      });
    }
  };
}
