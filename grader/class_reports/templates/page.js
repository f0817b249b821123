"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const show = (node) => { if (node) node.hidden = false; };

  // The table: sort by a heading, keep what is looked for.
  const table = one("#table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = all("thead th", table);
  const order = new Intl.Collator(undefined, { numeric: true });
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : order.compare(a, b));
  const value = (row, column) => {
    // A row without a score has one cell for all that is not there.
    const cell = row.cells.length === heads.length || column < 2 ? row.cells[column] : null;
    const text = cell ? cell.textContent.trim() : "";
    return cell && cell.classList.contains("n") ? Number.parseFloat(text) : text;
  };
  const sortBy = (column) => {
    const head = heads[column];
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = rows.map((row) => [value(row, column), row]);
    keyed.sort(([a], [b]) => (a === "") - (b === "") || (down ? compare(b, a) : compare(a, b)));
    body.append(...keyed.map(([, row]) => row));
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", column ? "none" : "ascending");
    button.addEventListener("click", () => sortBy(column));
  });

  const filter = one("#filter");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const sift = () => {
    const text = filter.elements.text.value.trim().toLowerCase();
    const kind = filter.elements.kind.value;
    let count = 0;
    rows.forEach((row, place) => {
      const fits = texts[place].includes(text) && (!kind || row.dataset.kind.split(" ").includes(kind));
      row.hidden = !fits;
      count += fits;
    });
    filter.querySelector("output").value = `${count} of ${rows.length}`;
  };
  filter.addEventListener("input", sift);
  filter.addEventListener("submit", (event) => event.preventDefault());
  show(filter);
  sift();

  // The review: a verdict for each case, and all the lines at once.
  const tray = one("#tray");
  if (!tray) return;
  const told = tray.querySelector("output");
  const written = (line, change) => {
    const entry = { ...JSON.parse(line.slice(2)), ...change };
    const pairs = Object.entries(entry).map((pair) => pair.map((part) => JSON.stringify(part)).join(": "));
    return `- {${pairs.join(", ")}}`;
  };
  const rewrite = (card, change) => {
    const lines = card.querySelector(".override");
    lines.textContent = lines.textContent.trim().split("\n").map((line) => written(line, change)).join("\n");
  };
  const decided = () => all(".case.decided");
  const count = () => {
    const number = decided().length;
    told.value = number ? `${number} decided` : "No decision yet";
    tray.hidden = number === 0;
  };
  for (const card of all(".case")) {
    show(card.querySelector(".decide"));
    for (const button of all(".decide button", card)) {
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        for (const other of all(".decide button", card)) other.setAttribute("aria-pressed", "false");
        button.setAttribute("aria-pressed", String(on));
        card.classList.toggle("decided", on);
        if (on) rewrite(card, { verdict: button.dataset.verdict });
        count();
      });
    }
  }
  tray.addEventListener("submit", async (event) => {
    event.preventDefault();
    const by = tray.elements.by.value.trim() || tray.elements.by.defaultValue;
    for (const card of decided()) rewrite(card, { by });
    const text = decided().map((card) => card.querySelector(".override").textContent).join("\n") + "\n";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      tray.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    told.value = `${decided().length} copied: paste them into your file of overrides`;
  });
  all(".scripted").forEach(show);
})();
