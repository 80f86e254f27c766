// A page depends on the connection to its server. If the connection is cut, never opens, or brings nothing more, the page says so, grays out its
// verdict and its controls, and asks until a server answers. Then it loads itself again: after a deployment, from the new server.
{
  const kept = "myapp.again"; // how often in a row the page was loaded again without a connection that lasted
  const release = "myapp.release"; // the release that was seen here last, and the release before
  const patience = 10_000; // milliseconds for a connection to open, to last, and to answer
  const longest = 60_000;
  const base = document.title.replace(/^.* · /, "");
  const begun = Date.now();
  const ours = document.currentScript;
  const differs = begun - Date.parse(ours.dataset.now); // the visitor's clock minus the server's, and the time of the transfer
  const ahead = Math.abs(differs) < 5000 ? 0 : differs;

  let leaving = false;
  let asking = 0; // number of the present round of asking; 0: none
  let rounds = 0;
  let closed = false; // whether a connection has been closed
  let asked; // time when the visitor used a control, if the server has not answered yet
  let report; // time of the report that is shown
  let expected = 0; // milliseconds within which the next report must come; 0: none must
  let reported = begun; // time from which these count
  let late; // time since which a report is missing
  let ticked = begun;
  let known; // the release that is shown
  let stored; // the JSON of it that this page has last stored

  document.documentElement.classList.add("scripted");
  addEventListener("pagehide", () => { leaving = true });
  addEventListener("pageshow", (event) => {
    leaving = false;
    if (event.persisted) location.reload(); // the connection was closed when the visitor left the page
  });

  const wait = (time) => new Promise((done) => setTimeout(done, time));

  const store = (where, name, ...value) => { // a visitor may have forbidden storage
    try {
      if (!value.length) return where().getItem(name);
      if (value[0] === undefined) where().removeItem(name);
      else where().setItem(name, value[0]);
    } catch { /* then nothing is kept */ }
    return null;
  };
  const session = () => sessionStorage;
  const local = () => localStorage;
  // A page that draws slowly, on a busy machine or a slow line, gets more time with each load. Otherwise it would start again forever.
  const bearable = Math.min(patience * 2 ** Number(store(session, kept) ?? 0), longest);

  // Panel draws in shadow roots.
  const roots = (root) => [...root.querySelectorAll("*")].flatMap((each) => (each.shadowRoot ? [each.shadowRoot, ...roots(each.shadowRoot)] : []));
  const parts = (kind, selector) => [...document.querySelectorAll(kind)].flatMap((each) => [each, ...roots(each)].flatMap((root) => [...root.querySelectorAll(selector)]));
  const part = (selector) => parts(".then", selector)[0] ?? parts(".first", selector)[0];

  const words = (time) => {
    const seconds = Math.max(0, Math.round((Date.now() - ahead - Date.parse(time)) / 1000));
    const day = time.slice(0, 10);
    const today = new Date(Date.now() - ahead).toISOString().slice(0, 10);
    const [number, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [Math.floor(seconds / 60), "min"] : [Math.floor(seconds / 3600), "h"];
    return `${number} ${unit} ago${day === today ? "" : `, on ${day}`}`;
  };

  const write = (element, text) => { if (element.textContent !== text) element.textContent = text };

  // Any answer of a server counts, even if it is not well: its page says why. The answer of a proxy that reaches no server does not count: its
  // page would not load itself again.
  const answers = async () => {
    const options = { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(patience) };
    try {
      await fetch("livez", options);
      const page = await fetch("", { ...options, method: "HEAD" });
      return page.type === "opaqueredirect" || page.status < 500;
    } catch {
      return false; // nobody answers
    }
  };

  const say = (why) => {
    document.documentElement.classList.toggle("deaf", Boolean(why));
    for (const each of document.querySelectorAll(".control")) each.inert = Boolean(why);
    for (const each of document.querySelectorAll("div.lost")) {
      if (why) write(each.querySelector(".why"), why);
      each.hidden = !why;
    }
  };

  const deaf = () => document.documentElement.classList.contains("deaf");

  const hear = () => { // the connection works after all
    asking = 0;
    late = asked = undefined;
    say("");
  };

  const again = async (why) => {
    if (leaving) return;
    if (!asking) say(why);
    if (asking) return;
    const round = asking = ++rounds;
    const times = Number(store(session, kept) ?? 0);
    await wait(Math.min(500 * 2 ** times * (1 + Math.random() / 4), longest));
    while (asking === round && !(await answers())) await wait(1000);
    if (asking !== round || leaving) return;
    store(session, kept, times + 1);
    location.reload();
  };

  const lost = "The connection to the server is lost:";
  const never = "This page has no connection to its server, so Refresh and Live do nothing:";
  const silent = "The server has sent no report for longer than it should:";
  const mute = "The server does not answer this page:";

  const connected = () => window.Bokeh?.documents?.length > 0 && document.querySelector(".then [data-root-id] > *");

  const look = () => {
    const now = Date.now();
    const slept = now - ticked > 5000; // the machine, or a hidden tab: messages may still be on their way
    ticked = now;
    const taken = part(".taken");
    const time = taken?.querySelector("time")?.dateTime;
    if (time !== report) {
      report = time;
      reported = now;
      if (late) hear();
    }
    if (closed) again(lost);
    else if (!connected()) {
      if (now - begun > patience) {
        say(never);
        if (document.readyState === "complete" && now - begun > bearable) again(never);
      }
    } else {
      if (deaf() && !late && !asked) hear();
      const within = Number(parts(".then", ".taken")[0]?.dataset.within ?? 0) * 1000;
      if (within !== expected) { // the visitor has changed it: a report that was not asked for until now is not missing
        expected = within;
        reported = now;
      }
      if (within && now - reported > within) {
        late ??= slept ? now : now - patience;
        if (now - late >= patience) again(silent);
      } else if (asked && now - asked > patience) again(mute);
    }
    show(time);
  };

  const show = (time) => {
    if (!matchMedia("print").matches) document.documentElement.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);
    const verdict = part(".verdict .headline")?.textContent.trim();
    const title = `${deaf() ? "No connection" : verdict} · ${base}`;
    if (document.title !== title) document.title = title;
    for (const each of parts(".first, .then", ".ago[data-time]")) write(each, words(each.dataset.time));
    for (const each of document.querySelectorAll(".shown .ago")) write(each, time ? words(time) : "at its start");
    remember(part(".release"), time);
  };

  // A deployment tells the new container what ran before. If none has, or if an earlier container runs again, this browser knows it, if it
  // was here then.
  const remember = (shown, time) => {
    if (!shown) return;
    const now = { version: shown.dataset.version, revision: shown.dataset.revision, started: shown.dataset.started, seen: time };
    const name = `${release} ${location.pathname}`;
    if (!known) {
      try { known = JSON.parse(store(local, name)) ?? now } catch { known = now }
    }
    if (known.version !== now.version || known.revision !== now.revision) {
      const until = known.seen > now.started ? known.seen : now.started;
      now.before = { version: known.version, revision: known.revision, until };
    } else now.before = known.before;
    const told = shown.dataset.before && { version: "", revision: shown.dataset.before, until: shown.dataset.until };
    const fresh = told && Date.parse(now.started) - Date.parse(told.until) < 600_000;
    if (told && (fresh || !now.before)) {
      if (now.before?.revision === told.revision) told.version = now.before.version;
      now.before = told;
    }
    const text = JSON.stringify(now);
    if (text !== stored) store(local, name, text);
    stored = text;
    known = now;
    const before = document.querySelector(".before");
    before.hidden = !now.before;
    if (!now.before) return;
    const { version, revision, until } = now.before;
    const which = version === now.version && revision ? `${version} (${revision.slice(0, 12)})` : version || revision.slice(0, 12);
    const day = until.slice(0, 10) === new Date().toISOString().slice(0, 10) ? "" : `${until.slice(0, 10)} `;
    const line = `Before: ${which} until `;
    const moment = `${day}${until.slice(11, 16)} UTC`;
    if (before.textContent === line + moment) return;
    const element = document.createElement("time"); // a time does not wrap
    element.dateTime = until;
    element.textContent = moment;
    before.replaceChildren(line, element);
  };

  window.WebSocket = class extends WebSocket {
    constructor(...to) {
      super(...to);
      let lasts;
      this.addEventListener("open", () => { lasts = setTimeout(() => store(session, kept, undefined), patience) });
      this.addEventListener("message", () => {
        if (asked) asked = undefined;
      });
      this.addEventListener("close", () => {
        clearTimeout(lasts);
        closed = true;
        again(lost);
      });
    }
  };
  for (const kind of ["click", "change"]) {
    document.addEventListener(kind, (event) => {
      if (event.target instanceof Element && event.target.closest(".control")) asked ??= Date.now();
    }, true);
  }
  // A page that has loaded itself several times without a connection says so until there is a connection.
  if (Number(store(session, kept) ?? 0) > 2) say(never);
  look();
  setInterval(look, 1000);
}
