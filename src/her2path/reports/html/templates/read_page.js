"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const light = document.querySelector(".light");
  const size = document.getElementById("size");
  const outline = document.getElementById("outline");
  const grey = document.getElementById("grey");
  const nuclei = all(".nucleus");

  // Contrast acts on one filter a channel, so that all nuclei are always shown alike.
  function show() {
    for (const slider of all("[data-kind=gain]", light)) {
      const role = slider.dataset.role;
      const black = Number(light.querySelector(`[data-role=${role}][data-kind=black]`).value);
      const gain = Number(slider.value);
      for (const part of all(`.light-${role} > *`)) {
        part.setAttribute("slope", gain);
        part.setAttribute("intercept", -gain * black);
      }
      const shown = light.querySelector(`[data-role=${role}][data-kind=shown]`).checked;
      root.classList.toggle(`no-${role}`, !shown);
    }
    root.style.setProperty("--side", `${size.value}px`);
    root.classList.toggle("no-outline", !outline.checked);
    root.classList.toggle("grey", grey.checked);
  }
  light.addEventListener("input", show);
  light.addEventListener("reset", () => setTimeout(show));
  light.addEventListener("submit", (event) => event.preventDefault());

  function current() {
    const inside = document.activeElement.closest(".nucleus");
    if (inside) return nuclei.indexOf(inside);
    const place = nuclei.findIndex((one) => one.getBoundingClientRect().bottom > 130);
    return place < 0 ? nuclei.length - 1 : place - 1;
  }
  function go(step) {
    const one = nuclei[Math.min(Math.max(current() + step, 0), nuclei.length - 1)];
    one.scrollIntoView();
    one.querySelector("input").focus({ preventScroll: true });
  }
  function turn(box) { box.checked = !box.checked; show(); }
  function grow(step) { size.value = Number(size.value) + step; show(); }
  const keys = { n: () => go(1), p: () => go(-1), o: () => turn(outline), g: () => turn(grey), "+": () => grow(40), "-": () => grow(-40) };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
    // Letters and signs are no part of a count, so there they move on; in words they are words.
    if (event.target instanceof Element && event.target.matches("input:not(.her2):not(.cep17):not([type=range]):not([type=checkbox]), select")) return;
    event.preventDefault();
    keys[event.key]();
  });

  const value = (one, name) => one.querySelector(`.${name}`)?.value.trim() ?? "";
  const counted = (one) => all(".her2, .cep17", one).every((cell) => /^[0-9]{1,3}$/.test(cell.value.trim()) && Number(cell.value) > 0);
  const finished = (one) => (value(one, "reason") ? all(".her2, .cep17", one).every((cell) => !cell.value.trim()) : counted(one));
  function check() {
    for (const one of nuclei) {
      for (const cell of all(".her2, .cep17", one)) {
        const text = cell.value.trim();
        cell.classList.toggle("wrong", text !== "" && (!/^[0-9]{1,3}$/.test(text) || value(one, "reason") !== "" || Number(text) === 0));
      }
    }
    const open = nuclei.filter((one) => !finished(one)).map((one) => one.id.slice(1));
    document.getElementById("left").textContent = open.length ? `Not finished: ${open.join(", ")}` : "All nuclei are finished.";
  }
  let unsaved = false;
  document.addEventListener("input", (event) => { if (!light.contains(event.target)) { unsaved = true; check(); } });
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  const id = {{ page.sheet_id | tojson }};
  const head = {{ page.head | tojson }};
  const columns = {{ page.columns | tojson }};
  const plain = (text) => text.replace(/[\t\r\n"]+/g, " ");
  document.getElementById("save").addEventListener("click", () => {
    const lines = head.map((name) => `${name}\t${plain(document.querySelector(`[name=${name}]`).value)}`);
    lines.push(columns.join("\t"));
    nuclei.forEach((one, place) => {
      const cells = { sheet_id: id, nucleus: place + 1, her2_signals: value(one, "her2"), cep17_signals: value(one, "cep17"), not_countable: value(one, "reason"), comment: plain(value(one, "comment")) };
      lines.push(columns.map((name) => cells[name]).join("\t"));
    });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/tab-separated-values" }));
    link.download = `${id}.tsv`;
    link.click();
    unsaved = false;
  });
  show();
  check();
})();
