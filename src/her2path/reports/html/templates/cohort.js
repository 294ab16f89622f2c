"use strict";
(function () {
  var table = document.getElementById("cases");
  var body = table.tBodies[0];
  var words = document.getElementById("filter-text");
  var state = document.getElementById("filter-state");
  var shown = document.getElementById("shown");
  var rows = Array.prototype.slice.call(body.rows);

  function keyOf(row, column) {
    var cell = row.cells[column];
    return cell.dataset.key !== undefined ? cell.dataset.key : cell.textContent.trim();
  }
  function compare(a, b) {
    // Empty means "not measured" and always comes last.
    if (a === "" || b === "") { return a === b ? 0 : a === "" ? 2 : -2; }
    var x = Number(a), y = Number(b);
    if (!isNaN(x) && !isNaN(y)) { return x < y ? -1 : x > y ? 1 : 0; }
    return a.localeCompare(b, "en", { numeric: true }) < 0 ? -1 : a === b ? 0 : 1;
  }
  function sortBy(head) {
    var down = head.getAttribute("aria-sort") === "ascending";
    var column = head.cellIndex;
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell) { cell.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var ranked = rows.map(function (row, place) { return { row: row, place: place, key: keyOf(row, column) }; });
    ranked.sort(function (a, b) {
      var order = compare(a.key, b.key);
      if (down && Math.abs(order) < 2) { order = -order; }
      return order || a.place - b.place;
    });
    ranked.forEach(function (item) { body.appendChild(item.row); });
  }
  function filter() {
    var wanted = words.value.trim().toLowerCase(), n = 0;
    rows.forEach(function (row) {
      var fits = (!state.value || row.dataset.state === state.value) &&
        row.textContent.toLowerCase().indexOf(wanted) >= 0;
      row.hidden = !fits;
      if (fits) { n += 1; }
    });
    shown.textContent = n + " of " + rows.length + " cases shown";
  }
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    cell.textContent = "";
    cell.appendChild(button);
    button.addEventListener("click", function () { sortBy(cell); });
  });
  words.addEventListener("input", filter);
  state.addEventListener("change", filter);
  document.getElementById("filters").hidden = false;
  filter();
})();
