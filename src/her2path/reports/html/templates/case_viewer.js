"use strict";
// The slide of a page: tiles, cells and areas on one canvas.  All lengths of the slide are level-0 pixels;
// `scale` is CSS pixels per level-0 pixel.
(() => {
  const SCORES = 4, NOT_SCORED = 4, KINDS = 9;
  const COLOURS = ["#4682c8", "#f5d728", "#eb7d14", "#960f1e", "#969696"];
  const DASHES = [[2, 3], [7, 3], [], []], WIDTHS = [1.3, 1.6, 1.6, 2.4];
  const colourOf = kind => COLOURS[kind > NOT_SCORED ? kind - 5 : kind];
  const scoreOf = kind => (kind > NOT_SCORED ? kind - 5 : kind);
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const grouped = number => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");

  function bytesOf(element) {
    const text = element.textContent;
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const binary = atob(text), bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  function unpackCells(bytes, facts) {
    const n = facts.cells, m = facts.outlines, corners = facts.corners;
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const x = new Float32Array(n), y = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      x[i] = data.getUint16(2 * i, true) * facts.step;
      y[i] = data.getUint16(2 * (n + i), true) * facts.step;
    }
    const kind = bytes.subarray(4 * n, 5 * n);
    const ring = new Int8Array(bytes.buffer, bytes.byteOffset + 5 * n, 2 * m * corners);
    const places = Array.from({length: KINDS}, () => []);
    for (let i = 0; i < n; i++) places[kind[i]].push(i);
    return {x, y, kind, ring, m, corners, unit: facts.unit, places: places.map(p => Uint32Array.from(p))};
  }

  // A sign for each score, drawn once: circle, triangle, square, diamond, cross; white around it.
  function signs(ratio, side) {
    return Array.from({length: KINDS}, (_, kind) => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = Math.round(side * ratio);
      const c = canvas.getContext("2d"), size = canvas.width / 15;
      c.scale(size, size);
      c.translate(7.5, 7.5);
      const path = new Path2D(), score = scoreOf(kind);
      if (kind === NOT_SCORED) path.addPath(new Path2D("M-3-3L3 3M3-3L-3 3"));
      else if (score === 0) path.arc(0, 0, 3.4, 0, 7);
      else if (score === 1) path.addPath(new Path2D("M0-4.4L4.2 3.2H-4.2Z"));
      else if (score === 2) path.addPath(new Path2D("M-3.4-3.4H3.4V3.4H-3.4Z"));
      else path.addPath(new Path2D("M0-5L5 0L0 5L-5 0Z"));
      c.lineJoin = "round";
      c.strokeStyle = "#fff"; c.lineWidth = 3.6; c.stroke(path);
      if (score > 0 && kind !== NOT_SCORED) { c.fillStyle = colourOf(kind); c.fill(path); }
      c.strokeStyle = score === 1 && kind !== NOT_SCORED ? "#6b5900" : colourOf(kind);
      c.lineWidth = score === 0 || kind === NOT_SCORED ? 1.8 : 1;
      c.stroke(path);
      return canvas;
    });
  }

  class Viewer {
    constructor(root) {
      this.root = root;
      const part = name => root.querySelector(`.${name}`);
      this.facts = JSON.parse(part("slide-facts").textContent);
      this.canvas = part("slide-canvas");
      this.status = part("slide-status");
      this.hint = part("slide-hint");
      this.context = this.canvas.getContext("2d");
      [this.width, this.height] = this.facts.size;
      this.tiles = this.facts.levels.map(level => ({...level, pictures: new Map()}));
      const sizes = this.facts.levels.map(level => level.bytes);
      this.data = bytesOf(part("slide-tiles"));
      let start = 0;
      this.offsets = sizes.map(list => list.map(size => { const at = start; start += size; return [at, size]; }));
      const cells = part("slide-cells");
      this.cells = cells ? unpackCells(bytesOf(cells), this.facts.cells) : null;
      this.areas = this.facts.areas.map(area => ({...area, path: new Path2D(area.path)}));
      this.spots = this.facts.spots.map(spot => {
        const picture = new Image(), shown = {...spot, picture, ready: false};
        picture.onload = () => { shown.ready = true; this.draw(); };
        picture.src = document.getElementById(spot.picture).getAttribute("href");
        return shown;
      });
      this.hidden = new Set();
      this.cx = this.width / 2;
      this.cy = this.height / 2;
      this.finest = Math.min(...this.tiles.map(level => level.d), ...this.spots.map(spot => spot.d));
      this.pointers = new Map();
      this.listen();
      this.root.classList.add("live");
      new ResizeObserver(() => this.resize()).observe(this.canvas);
      this.resize();
      this.root.dataset.ready = "true";
    }

    listen() {
      const {canvas, root} = this;
      for (const button of root.querySelectorAll("button[data-do]"))
        button.addEventListener("click", () => this.act(button.dataset.do));
      for (const box of root.querySelectorAll("input[data-layer]")) {
        const follow = () => { box.checked ? this.hidden.delete(box.dataset.layer) : this.hidden.add(box.dataset.layer); };
        box.addEventListener("change", () => { follow(); this.draw(); });
        follow();
      }
      canvas.addEventListener("keydown", event => this.key(event));
      canvas.addEventListener("wheel", event => this.wheel(event), {passive: false});
      canvas.addEventListener("pointerdown", event => this.down(event));
      canvas.addEventListener("pointermove", event => this.move(event));
      canvas.addEventListener("pointerup", event => this.up(event));
      for (const name of ["pointercancel", "pointerleave"])
        canvas.addEventListener(name, event => this.pointers.delete(event.pointerId));
      document.addEventListener("fullscreenchange", () => {
        const large = this.root.querySelector("[data-do=large]");
        large.setAttribute("aria-pressed", String(document.fullscreenElement === this.root));
      });
      canvas.addEventListener("dblclick", event => this.zoom(2, ...this.at(event)));
      canvas.addEventListener("blur", () => { this.hint.hidden = true; });
    }

    act(what) {
      if (what === "in") this.zoom(1.6);
      else if (what === "out") this.zoom(1 / 1.6);
      else if (what === "whole") this.whole();
      else if (what === "full") this.show(this.cx, this.cy, 1);
      else if (what === "large") document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen();
      else if (what === "bare") this.undress(!this.bare);
      else if (what.startsWith("spot")) this.spot(Number(what.slice(4)));
    }

    undress(bare) {
      this.bare = bare;
      this.root.querySelector("[data-do=bare]").setAttribute("aria-pressed", String(bare));
      this.draw();
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = 0.2 * Math.min(this.wide, this.high) / this.scale;
      const moves = {ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step]};
      if (moves[event.key]) this.show(this.cx + moves[event.key][0], this.cy + moves[event.key][1]);
      else if (event.key === "+" || event.key === "=") this.zoom(1.6);
      else if (event.key === "-" || event.key === "_") this.zoom(1 / 1.6);
      else if (event.key === "0" || event.key === "Home") this.whole();
      else if (event.key === "h" || event.key === "H") this.undress(!this.bare);
      else if (event.key >= "1" && event.key <= "9" && this.spots[event.key - 1]) this.spot(Number(event.key));
      else return;
      event.preventDefault();
    }

    wheel(event) {
      // The page scrolls past the slide unless a person works in it.
      if (document.activeElement !== this.canvas && !event.ctrlKey) { this.hint.hidden = false; return; }
      event.preventDefault();
      this.hint.hidden = true;
      const lines = event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1;
      this.zoom(Math.exp(-clamp(event.deltaY * lines, -300, 300) * (event.ctrlKey ? 0.006 : 0.002)), ...this.at(event));
    }

    isActive() {
      return document.activeElement === this.canvas || document.fullscreenElement === this.root;
    }

    at(event) {
      const box = this.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }

    down(event) {
      const [x, y] = this.at(event), map = this.map();
      this.hint.hidden = true;
      if (map && x >= map.x && y >= map.y && x < map.x + map.w && y < map.y + map.h) {
        this.show((x - map.x) / map.scale, (y - map.y) / map.scale);
        return;
      }
      this.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [x, y]);
      this.pressed = [x, y];
    }

    up(event) {
      const [x, y] = this.at(event), [fromX, fromY] = this.pressed || [-99, -99];
      if (this.pointers.delete(event.pointerId) && Math.hypot(x - fromX, y - fromY) < 4) this.ask(x, y);
    }

    // Tell of the drawn cell under a click, so that it can be found again in QuPath.
    ask(x, y) {
      if (!this.cells) return;
      const px0 = this.left + x / this.scale, py0 = this.top + y / this.scale;
      let nearest = -1, least = Math.max(12 / this.facts.mpp, 6 / this.scale);
      for (let i = 0; i < this.cells.x.length; i++) {
        const far = Math.hypot(this.cells.x[i] - px0, this.cells.y[i] - py0);
        if (far < least) { least = far; nearest = i; }
      }
      if (nearest < 0) return;
      const kind = this.cells.kind[nearest], [cx, cy] = [this.cells.x[nearest], this.cells.y[nearest]];
      const name = kind === NOT_SCORED ? "not scored" : `${kind > NOT_SCORED ? "control tissue, " : ""}${this.facts.names[scoreOf(kind)]}`;
      this.told = `Cell at ${grouped(Math.round(cx))}, ${grouped(Math.round(cy))} px of the slide: ${name}. `;
      this.picked = [cx, cy];
      this.draw();
    }

    move(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      const now = this.at(event);
      this.pointers.set(event.pointerId, now);
      const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
      if (others.length === 1) {
        const [, other] = others[0], far = p => Math.max(20, Math.hypot(p[0] - other[0], p[1] - other[1]));
        this.zoom(far(now) / far(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      } else if (event.pointerType === "touch" && !this.isActive()) {
        this.hint.hidden = false;
        clearTimeout(this.hinted);
        this.hinted = setTimeout(() => { this.hint.hidden = true; }, 2000);
      } else if (!others.length) {
        this.show(this.cx - (now[0] - before[0]) / this.scale, this.cy - (now[1] - before[1]) / this.scale);
      }
    }

    resize() {
      const box = this.canvas.getBoundingClientRect();
      if (!box.width || !box.height) return;
      this.ratio = Math.min(window.devicePixelRatio || 1, 2);
      this.wide = box.width;
      this.high = box.height;
      this.canvas.width = Math.round(box.width * this.ratio);
      this.canvas.height = Math.round(box.height * this.ratio);
      this.signs = {small: signs(this.ratio, 9), large: signs(this.ratio, 15)};
      const whole = Math.min(this.wide / this.width, this.high / this.height);
      const wasWhole = this.scale === undefined || this.scale === this.least;
      this.least = whole;
      this.most = Math.max(4 / this.finest, whole);
      this.show(this.cx, this.cy, wasWhole ? whole : this.scale);
    }

    whole() { this.show(this.width / 2, this.height / 2, this.least); }

    spot(number) {
      const spot = this.spots[number - 1], side = spot.w * spot.d;
      this.show(spot.x + side / 2, spot.y + side / 2, 0.94 * Math.min(this.wide, this.high) / side);
      this.told = `Hot spot ${number}. `;
    }

    zoom(factor, x = this.wide / 2, y = this.high / 2) {
      const scale = clamp(this.scale * factor, this.least, this.most);
      const keep = 1 / this.scale - 1 / scale;
      this.show(this.cx + (x - this.wide / 2) * keep, this.cy + (y - this.high / 2) * keep, scale);
    }

    show(cx, cy, scale = this.scale) {
      this.scale = clamp(scale, this.least, this.most);
      this.cx = clamp(cx, 0, this.width);
      this.cy = clamp(cy, 0, this.height);
      this.told = "";
      this.picked = null;
      this.draw();
    }

    draw() {
      if (this.asked) return;
      this.asked = true;
      requestAnimationFrame(() => { this.asked = false; this.paint(); });
    }

    paint() {
      if (!this.scale) return;
      const c = this.context;
      this.left = this.cx - this.wide / 2 / this.scale;
      this.top = this.cy - this.high / 2 / this.scale;
      c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      c.fillStyle = "#e9ebee";
      c.fillRect(0, 0, this.wide, this.high);
      c.imageSmoothingQuality = "high";
      this.paintTiles(c);
      if (!this.bare) this.paintAreas(c);
      const counts = this.cells ? this.paintCells(c) : null;
      if (!this.bare) this.paintSpots(c);
      if (this.picked) this.paintPicked(c);
      this.paintBar(c);
      this.paintMap(c);
      clearTimeout(this.telling);
      this.telling = setTimeout(() => this.tell(counts), 250);
    }

    screen(x, y) { return [(x - this.left) * this.scale, (y - this.top) * this.scale]; }

    paintTiles(c) {
      const wanted = 1 / (this.scale * this.ratio);
      let best = 0;
      while (best + 1 < this.tiles.length && this.tiles[best + 1].d <= wanted) best++;
      c.save();
      const [x0, y0] = this.screen(0, 0);
      c.beginPath();
      c.rect(x0, y0, this.width * this.scale, this.height * this.scale);
      c.clip();
      c.fillStyle = "#fff";
      c.fillRect(x0, y0, this.width * this.scale, this.height * this.scale);
      for (let number = this.tiles.length - 1; number >= best; number--) {
        const level = this.tiles[number], side = this.facts.tile * level.d;
        const columns = Math.ceil(level.w / this.facts.tile), rows = Math.ceil(level.h / this.facts.tile);
        const first = Math.max(0, Math.floor(this.left / side)), above = Math.max(0, Math.floor(this.top / side));
        const last = Math.min(columns - 1, Math.floor((this.left + this.wide / this.scale) / side));
        const below = Math.min(rows - 1, Math.floor((this.top + this.high / this.scale) / side));
        for (let row = above; row <= below; row++)
          for (let column = first; column <= last; column++) {
            const index = row * columns + column, picture = level.pictures.get(index);
            if (picture) {
              const [x, y] = this.screen(column * side, row * side), edge = side * this.scale;
              c.drawImage(picture, x, y, edge + 0.5, edge + 0.5);
            } else if (number === best || number === this.tiles.length - 1) this.load(number, index);
          }
      }
      if (wanted < this.tiles[0].d * 0.95)
        for (const spot of this.spots)
          if (spot.ready && spot.d < this.tiles[0].d) {
            const [x, y] = this.screen(spot.x, spot.y);
            c.drawImage(spot.picture, x, y, spot.w * spot.d * this.scale, spot.h * spot.d * this.scale);
          }
      c.restore();
    }

    load(number, index) {
      const pictures = this.tiles[number].pictures;
      if (pictures.has(index)) return;
      pictures.set(index, null);
      const [start, size] = this.offsets[number][index];
      createImageBitmap(new Blob([this.data.subarray(start, start + size)], {type: "image/jpeg"})).then(
        picture => { pictures.set(index, picture); this.draw(); },
        () => { this.status.textContent = "A part of the picture is damaged and cannot be shown."; });
    }

    paintAreas(c) {
      for (const area of this.areas) {
        if (this.hidden.has(area.layer)) continue;
        c.save();
        c.translate(-this.left * this.scale, -this.top * this.scale);
        c.scale(this.scale, this.scale);
        c.lineJoin = "round";
        if (area.tint) { c.globalAlpha = 0.22; c.fillStyle = area.colour; c.fill(area.path, "evenodd"); c.globalAlpha = 1; }
        c.setLineDash([]);
        c.strokeStyle = "#fff"; c.lineWidth = 4 / this.scale; c.stroke(area.path);
        c.setLineDash(area.dash.map(length => length / this.scale));
        c.strokeStyle = area.colour; c.lineWidth = 2 / this.scale; c.stroke(area.path);
        c.restore();
      }
    }

    paintCells(c) {
      const {x, y, m, places} = this.cells, counts = new Array(KINDS).fill(0);
      const radius = 6 / this.facts.mpp * this.scale, near = 12 / this.facts.mpp;
      const [left, top] = [this.left - near, this.top - near];
      const right = this.left + this.wide / this.scale + near, bottom = this.top + this.high / this.scale + near;
      const order = [NOT_SCORED, 5, 6, 7, 8, 0, 1, 2, 3];
      c.save();
      for (const kind of order) {
        const shown = !this.bare && !this.hidden.has(kind === NOT_SCORED ? "not-scored" : kind > NOT_SCORED ? "control" : `score-${kind}`);
        const outlined = [], signed = [], ratio = this.ratio;
        for (const i of places[kind]) {
          const px0 = x[i], py0 = y[i];
          if (px0 < left || px0 > right || py0 < top || py0 > bottom) continue;
          const px = (px0 - this.left) * this.scale, py = (py0 - this.top) * this.scale;
          if (px >= 0 && py >= 0 && px < this.wide && py < this.high) counts[kind]++;
          if (shown) (radius >= 7 && i < m ? outlined : signed).push(i);
        }
        if (!shown) continue;
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        if (outlined.length) this.paintOutlines(c, outlined, kind);
        // Signs are copied pixel by pixel: tens of thousands of them must not be scaled one by one.
        c.setTransform(1, 0, 0, 1, 0, 0);
        const scale = this.scale * ratio, x0 = this.left * scale, y0 = this.top * scale;
        if (radius < 2.6) {
          const side = Math.max(1, Math.round(clamp(2 * radius, 1.6, 3.4) * ratio)), half = side / 2;
          c.fillStyle = colourOf(kind);
          for (const i of signed) c.fillRect(Math.round(x[i] * scale - x0 - half), Math.round(y[i] * scale - y0 - half), side, side);
        } else {
          const sign = (radius < 5 ? this.signs.small : this.signs.large)[kind], half = sign.width / 2;
          for (const i of signed) c.drawImage(sign, Math.round(x[i] * scale - x0 - half), Math.round(y[i] * scale - y0 - half));
        }
      }
      c.restore();
      return counts;
    }

    paintOutlines(c, cells, kind) {
      const {x, y, ring, corners, unit} = this.cells, score = scoreOf(kind);
      const path = new Path2D();
      for (const i of cells) {
        for (let k = 0; k < corners; k++) {
          const at = 2 * (i * corners + k);
          const px = (x[i] + ring[at] * unit - this.left) * this.scale, py = (y[i] + ring[at + 1] * unit - this.top) * this.scale;
          k ? path.lineTo(px, py) : path.moveTo(px, py);
        }
        path.closePath();
      }
      c.lineJoin = "round";
      c.setLineDash([]);
      c.strokeStyle = "rgba(255,255,255,.85)"; c.lineWidth = WIDTHS[score] + 2; c.stroke(path);
      c.setLineDash(DASHES[score]);
      c.strokeStyle = colourOf(kind); c.lineWidth = WIDTHS[score]; c.stroke(path);
      c.setLineDash([]);
    }

    paintSpots(c) {
      if (this.hidden.has("spots")) return;
      c.font = "bold 14px system-ui, sans-serif";
      c.textBaseline = "top";
      this.spots.forEach((spot, number) => {
        const [x, y] = this.screen(spot.x, spot.y), side = spot.w * spot.d * this.scale;
        c.setLineDash([]); c.strokeStyle = "#fff"; c.lineWidth = 4.5; c.strokeRect(x, y, side, side);
        c.strokeStyle = "#111"; c.lineWidth = 2; c.strokeRect(x, y, side, side);
        const words = String(number + 1), wide = c.measureText(words).width + 10;
        c.fillStyle = "#111"; c.fillRect(x, y, wide, 20);
        c.fillStyle = "#fff"; c.fillText(words, x + 5, y + 4);
      });
    }

    paintPicked(c) {
      const [x, y] = this.screen(...this.picked), radius = Math.max(10, 9 / this.facts.mpp * this.scale);
      c.setLineDash([]);
      for (const [colour, width] of [["#fff", 5], ["#111", 2]]) {
        c.strokeStyle = colour; c.lineWidth = width;
        c.beginPath(); c.arc(x, y, radius, 0, 7); c.stroke();
      }
    }

    paintBar(c) {
      const um = this.facts.mpp / this.scale;
      const most = 0.22 * Math.min(this.wide, 700) * um, power = 10 ** Math.floor(Math.log10(most));
      const long = [5, 2, 1].map(n => n * power).find(n => n <= most), wide = long / um;
      const words = long >= 1000 ? `${long / 1000} mm` : `${long} µm`, y = this.high - 16;
      c.fillStyle = "rgba(255,255,255,.88)";
      c.fillRect(8, this.high - 40, wide + 20, 32);
      c.fillStyle = "#111";
      c.fillRect(18, y, wide, 4);
      c.fillRect(18, y - 4, 2, 8);
      c.fillRect(16 + wide, y - 4, 2, 8);
      c.font = "13px system-ui, sans-serif";
      c.textBaseline = "alphabetic";
      c.fillText(words, 18, y - 7);
    }

    map() {
      if (this.scale <= this.least * 1.05 || this.wide < 480) return null;
      const scale = Math.min(170 / this.width, 130 / this.height), w = this.width * scale, h = this.height * scale;
      return {x: this.wide - w - 10, y: this.high - h - 10, w, h, scale};
    }

    paintMap(c) {
      const map = this.map(), last = this.tiles.length - 1, picture = this.tiles[last].pictures.get(0);
      if (!map || !picture) return;
      const level = this.tiles[last];
      c.fillStyle = "#fff";
      c.fillRect(map.x - 2, map.y - 2, map.w + 4, map.h + 4);
      c.drawImage(picture, 0, 0, level.w, level.h, map.x, map.y, map.w, map.h);
      c.strokeStyle = "#111"; c.lineWidth = 1; c.strokeRect(map.x - 1.5, map.y - 1.5, map.w + 3, map.h + 3);
      const view = [map.x + this.left * map.scale, map.y + this.top * map.scale, this.wide / this.scale * map.scale, this.high / this.scale * map.scale];
      c.save();
      c.beginPath(); c.rect(map.x, map.y, map.w, map.h); c.clip();
      c.strokeStyle = "#fff"; c.lineWidth = 4; c.strokeRect(...view);
      c.strokeStyle = "#0b4f9c"; c.lineWidth = 2; c.strokeRect(...view);
      c.restore();
    }

    tell(counts) {
      const um = this.facts.mpp / this.scale, digits = um < 1 ? 2 : 1;
      let words = `${this.told || ""}${um.toFixed(digits)} µm per pixel (about ${Number((10 / um).toPrecision(2))}×). `;
      words += `Middle: ${grouped(Math.round(this.cx * this.facts.mpp))}, ${grouped(Math.round(this.cy * this.facts.mpp))} µm from the top left corner.`;
      if (counts) {
        const scored = counts.slice(0, SCORES).reduce((sum, n) => sum + n, 0);
        const parts = [3, 2, 1, 0].map(score => `${this.facts.names[score]}: ${grouped(counts[score])}`);
        words += ` In view: ${grouped(scored)} scored cells${this.facts.choice ? " of those drawn" : ""}`;
        words += scored ? ` (${parts.join(", ")}).` : ".";
      }
      this.status.textContent = words;
    }
  }

  const begin = root => { if (!root.dataset.begun) { root.dataset.begun = "true"; new Viewer(root); } };
  const seen = new IntersectionObserver(entries => {
    for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); begin(entry.target); }
  }, {rootMargin: "1200px"});
  for (const root of document.querySelectorAll(".slide")) { root.classList.add("live"); seen.observe(root); }
})();
