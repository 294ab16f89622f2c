"use strict";
// Sorts and filters the table of all cases.  What is chosen stands in the address, so that it is still
// there when somebody comes back from a report, and a link of the page can choose something.
(function () {
  const table = document.getElementById("cases");
  const heads = Array.from(table.tHead.rows[0].cells);
  const groups = Array.from(table.tBodies);
  if (groups.length === 0) { return; }
  const size = groups[0].rows.length;
  const rows = groups.flatMap(function (group) { return Array.from(group.rows); });
  let order = rows.map(function (row, place) { return place; });
  const words = document.getElementById("filter-text");
  const selects = Array.from(document.querySelectorAll("#filters select"));
  const shown = document.getElementById("shown");
  const collator = new Intl.Collator("en", { numeric: true });
  const keys = [];
  let texts = null;
  let sorted = { column: 1, down: false };

  function keyOf(row, column) {
    const cell = row.cells[column];
    const key = cell.dataset.key;
    if (key === undefined && !cell.classList.contains("num")) { return cell.textContent.trim(); }
    const number = key === undefined ? cell.textContent.trim() : key;
    return number === "" ? "" : Number(number);
  }
  // Places of the rows when sorted by a column.  Empty means "not measured": it always comes last.  Equal
  // ones stay in the order of urgency.
  function ranked(column, down) {
    keys[column] = keys[column] || rows.map(function (row) { return keyOf(row, column); });
    const of = keys[column];
    return rows.map(function (row, place) { return place; }).sort(function (a, b) {
      const x = of[a], y = of[b];
      if (x === "" || y === "") { return x === y ? a - b : x === "" ? 1 : -1; }
      const found = typeof x === "number" ? x - y : collator.compare(x, y);
      return (down ? -found : found) || a - b;
    });
  }
  function sortBy(column, down) {
    if (column === sorted.column && down === sorted.down) { return; }
    order = ranked(column, down);
    heads.forEach(function (head) { head.removeAttribute("aria-sort"); });
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    sorted = { column: column, down: down };
  }
  // Puts the rows that fit into the groups, in order.  Whole groups are exchanged at once: moved one by
  // one, thousands of rows take seconds.
  function show() {
    const wanted = words.value.trim().toLowerCase();
    const tokens = selects.map(function (select) { return select.selectedOptions[0].dataset.n; })
      .filter(Boolean).map(function (n) { return " " + n + " "; });
    if (wanted && !texts) { texts = rows.map(function (row) { return row.textContent.toLowerCase(); }); }
    const fitting = order.filter(function (place) {
      return tokens.every(function (one) { return rows[place].dataset.t.includes(one); }) &&
        (!wanted || texts[place].includes(wanted));
    });
    groups.forEach(function (group, number) {
      const some = fitting.slice(number * size, (number + 1) * size);
      group.replaceChildren.apply(group, some.map(function (place) { return rows[place]; }));
      group.style.setProperty("--rows", some.length);
    });
    // Rows out of sight are not laid out, and a reader that does not see is told how many there are.
    fitting.forEach(function (place, number) { rows[place].ariaRowIndex = number + 2; });
    table.ariaRowCount = fitting.length + 1;
    const all = fitting.length === rows.length;
    // What a print must say of itself: that rows are missing, or stand in another order.
    shown.classList.toggle("part", !all || sorted.column !== 1 || sorted.down);
    shown.textContent = (all ? "All " + rows.length + " cases are shown" :
      fitting.length + " of " + rows.length + " cases are shown (" + chosen().join("; ") + ")") +
      ", sorted by “" + heads[sorted.column].textContent.trim() + "”, " +
      (sorted.down ? "descending." : "ascending.");
  }
  function chosen() {
    const found = selects.filter(function (select) { return select.value; }).map(function (select) {
      return select.labels[0].textContent + ": " + select.selectedOptions[0].dataset.words;
    });
    const wanted = words.value.trim();
    return wanted ? ["“" + wanted + "”"].concat(found) : found;
  }
  function toAddress() {
    const found = new URLSearchParams();
    if (words.value.trim()) { found.set("find", words.value.trim()); }
    selects.forEach(function (select) { if (select.value) { found.set(select.name, select.value); } });
    if (sorted.column !== 1 || sorted.down) { found.set("sort", sorted.column + (sorted.down ? "-" : "")); }
    // Replaced, not added: the way back leads out of the page, not through every letter of a search.
    history.replaceState(null, "", "#" + (found.toString() || "all="));
  }
  function fromAddress() {
    if (!location.hash.includes("=")) { return false; }
    const found = new URLSearchParams(location.hash.slice(1));
    words.value = found.get("find") || "";
    selects.forEach(function (select) {
      select.value = found.get(select.name) || "";
      if (select.selectedIndex < 0) { select.value = ""; }
    });
    const sort = /^(\d+)(-?)$/.exec(found.get("sort") || "1");
    if (sort && Number(sort[1]) < heads.length) { sortBy(Number(sort[1]), sort[2] === "-"); }
    return true;
  }
  function toTop() {
    if (table.getBoundingClientRect().top < 0) { table.scrollIntoView({ block: "start" }); }
  }
  function changed() { show(); toAddress(); }

  heads.forEach(function (head, column) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      sortBy(column, head.getAttribute("aria-sort") === "ascending");
      changed();
      toTop();
    });
  });
  words.addEventListener("input", changed);
  selects.forEach(function (select) { select.addEventListener("change", changed); });
  document.getElementById("show-all").addEventListener("click", function () {
    words.value = "";
    selects.forEach(function (select) { select.value = ""; });
    changed();
    words.focus();
  });
  window.addEventListener("hashchange", function () {
    if (fromAddress()) { show(); shown.scrollIntoView({ block: "start" }); }
  });
  // Without this script such a link leads to the table, where what waits stands first.
  document.querySelectorAll("a[data-choose]").forEach(function (link) { link.href = "#" + link.dataset.choose; });
  document.getElementById("filters").hidden = false;
  fromAddress();
  show();
})();
