// What the playground adds to simcord's page: pictures in messages. They are chosen, dropped or pasted, shown above the
// composer, and go out with the message that the page itself sends; while a command is being typed they fill its file.
// TEXTS stands above this when it is served: the words are those of bot/texts.py.

(() => {
  "use strict";

  const MOST_FILES = 10;
  const MOST_BYTES = 10 * 2 ** 20;
  const NEAR_END = 80; // pixels
  const SETTLING = 500; // milliseconds that a change of size or a movement of the hand takes to have its effect
  const NO_WORDS = "\u200b"; // the page sends no empty message; the playground takes this out again

  const form = document.getElementById("channel-composer");
  const row = form.querySelector(".composer-row");
  let files = [];

  const make = (tag, className, attributes = {}) =>
    Object.assign(document.createElement(tag), { className, ...attributes });

  const chooser = make("input", "playground-chooser", { type: "file", multiple: true, hidden: true });
  chooser.accept = "image/png,image/jpeg,image/webp";
  const attach = make("button", "playground-attach", { type: "button", textContent: "+", title: TEXTS.attach });
  attach.setAttribute("aria-label", TEXTS.attach);
  const tray = make("ul", "playground-tray", { hidden: true });
  tray.setAttribute("aria-label", TEXTS.attached);
  const complaint = make("p", "playground-complaint", { hidden: true });
  complaint.setAttribute("role", "alert");
  const curtain = make("div", "playground-curtain", { hidden: true });
  curtain.append(make("strong", "", { textContent: TEXTS.drop }));
  form.insertBefore(tray, row);
  form.insertBefore(complaint, row);
  row.prepend(attach, chooser);
  document.body.append(curtain);

  const composer = () => form.querySelector("[data-control-key]");
  const words = () => { const box = composer(); return box && "value" in box ? box.value : ""; };
  const write = (text) => {
    const box = composer();
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  function complain(sentence) {
    complaint.textContent = sentence;
    complaint.hidden = !sentence;
  }

  function show(next) {
    files = next;
    tray.replaceChildren(...files.map(tile));
    tray.hidden = files.length === 0;
  }

  function tile(file) {
    const item = make("li", "playground-tile", { title: file.name });
    const picture = make("img", "", { alt: file.name, src: URL.createObjectURL(file) });
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
    const remove = make("button", "", { type: "button", textContent: "×" });
    remove.setAttribute("aria-label", `${TEXTS.remove} ${file.name}`);
    remove.addEventListener("click", () => show(files.filter((other) => other !== file)));
    item.append(picture, remove);
    return item;
  }

  /** A command that asks for a file and has none yet, else the message, gets what was chosen, dropped or pasted. */
  function take(given) {
    const pictures = [...given].filter((file) => file.type.startsWith("image/"));
    const light = pictures.filter((file) => file.size <= MOST_BYTES);
    complain(light.length === given.length ? "" : TEXTS.onlyPictures);
    if (!light.length) return;
    const option = document.querySelector(".upload-dropzone input[type=file], .command-file-input");
    if (option) fill(option, light[0]);
    else show([...files, ...light].slice(0, MOST_FILES));
    composer()?.focus();
  }

  function fill(input, file) {
    const transfer = new DataTransfer();
    transfer.items.add(file);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  attach.addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => { take(chooser.files); chooser.value = ""; });

  document.addEventListener("paste", (event) => {
    const pasted = event.clipboardData?.files ?? [];
    if (!pasted.length) return;
    event.preventDefault();
    take(pasted);
  });

  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    curtain.hidden = false;
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) curtain.hidden = true; });
  document.addEventListener("drop", (event) => {
    curtain.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });

  // Before the page's own listener, which sends nothing when there are no words.
  document.addEventListener("submit", (event) => {
    if (event.target === form && files.length && !words().trim()) write(NO_WORDS);
  }, true);

  const plainFetch = window.fetch.bind(window);
  window.fetch = (resource, options) => {
    const isMessage = files.length && String(resource) === "/api/action" && typeof options?.body === "string"
      && JSON.parse(options.body).kind === "send_message";
    return isMessage ? sendWithFiles(resource, options, files) : plainFetch(resource, options);
  };

  async function sendWithFiles(resource, options, sent) {
    const { "Content-Type": _, ...headers } = options.headers;
    const body = new FormData();
    body.append("payload", options.body);
    for (const file of sent) body.append("file:message", file, file.name);
    tray.classList.add("is-sending");
    let accepted = false;
    try {
      const response = await plainFetch(resource, { ...options, headers, body });
      accepted = response.ok && !(await response.clone().json()).rejected;
      return response;
    } finally {
      tray.classList.remove("is-sending");
      if (accepted) show(files.filter((file) => !sent.includes(file)));
      else if (words() === NO_WORDS) write("");
    }
  }

  // Pictures arrive after their message, and the page makes them anew whenever it draws. So that nothing jumps, each
  // gets the size that it had before; and who reads at the end, or has just said something, stays at the end, as long
  // as no hand moves the page.
  const timeline = document.getElementById("channel-timeline");
  const list = document.getElementById("channel-message-list");
  const sizes = new Map();
  let atEnd = true;
  let held = false;
  let moved = -Infinity;
  let changed = -Infinity;
  const since = (moment) => performance.now() - moment;
  const toEnd = () => { timeline.scrollTop = timeline.scrollHeight; };
  const stayAtEnd = () => { atEnd = true; changed = performance.now(); toEnd(); };
  const onChange = () => { changed = performance.now(); if (atEnd) toEnd(); };

  list.addEventListener("load", ({ target }) => {
    if (target instanceof HTMLImageElement) sizes.set(target.src, [target.naturalWidth, target.naturalHeight]);
  }, true);
  new MutationObserver((records) => {
    for (const { target } of records) {
      const size = target instanceof HTMLImageElement && sizes.get(target.src);
      if (size && target.width !== size[0]) [target.width, target.height] = size;
    }
    onChange();
  }).observe(list, { childList: true, subtree: true, attributeFilter: ["src"] });
  const resized = new ResizeObserver(onChange);
  resized.observe(timeline);
  resized.observe(list);

  for (const kind of ["wheel", "touchmove", "keydown"]) {
    timeline.addEventListener(kind, () => { moved = performance.now(); }, { passive: true });
  }
  timeline.addEventListener("pointerdown", (event) => { held = event.target === timeline; }); // its scroll bar
  document.addEventListener("pointerup", () => { held = false; });
  timeline.addEventListener("scroll", () => {
    if (timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight < NEAR_END) atEnd = true;
    else if (held || since(moved) < SETTLING) atEnd = false;
    else if (atEnd && since(changed) < SETTLING) toEnd();
  });
  document.addEventListener("submit", (event) => { if (event.target === form) stayAtEnd(); });
  document.getElementById("new-messages").addEventListener("click", stayAtEnd);

  // A link to a message of this conversation leads to it, and not to a Discord that knows nothing of it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="https://discord.com/channels/"]');
    const message = link && document.querySelector(`[data-message-id="${link.pathname.split("/").at(-1)}"]`);
    if (!message) return;
    event.preventDefault();
    atEnd = false;
    message.scrollIntoView({ behavior: "smooth", block: "center" });
  });

  document.title = TEXTS.title;
  document.querySelector(".preview-brand strong").textContent = TEXTS.brand;
  document.querySelector(".preview-brand small").textContent = TEXTS.what;
})();
