// A list of any length of which only the visible rows exist, in a scrolling table with a sticky head.

/** Rows drawn beyond each edge, so that scrolling shows no gaps. */
const OVERSCAN = 4;

export class VirtualList {
  #rows = [];
  #items = [];
  #height = 0;
  #rowHeight = 1;
  #top = 0;
  #frame = null;

  /** `table` scrolls and holds `body`; `create()` makes an empty row, `update(row, item, index)` fills one. */
  constructor({ table, body, create, update, onScroll = () => {} }) {
    Object.assign(this, { table, body, create, update, onScroll });
    this.window = document.createElement("div");
    this.window.className = "grid-window";
    this.window.setAttribute("role", "presentation");
    body.append(this.window);
    table.addEventListener("scroll", () => {
      this.#top = table.scrollTop;
      this.onScroll(this.#top);
      this.#frame ??= requestAnimationFrame(() => { this.#frame = null; this.draw(); });
    }, { passive: true });
    new ResizeObserver(() => { this.measure(); this.draw(); }).observe(table);
  }

  /** Reads sizes from the style sheet; asked for when the table's size changes only. */
  measure() {
    this.#height = this.table.clientHeight;
    const height = Number.parseFloat(getComputedStyle(this.table).getPropertyValue("--row"));
    if (height > 0) this.#rowHeight = height;
    this.#space();
  }

  setItems(items) {
    const before = this.#items.length;
    this.#items = items;
    if (before !== items.length) this.#space();
    this.draw();
  }

  #space() {
    const height = `${this.#items.length * this.#rowHeight}px`;
    if (this.body.style.height !== height) this.body.style.height = height;
    this.table.setAttribute("aria-rowcount", String(this.#items.length + 1));
  }

  /** Fills the rows in view. A row is at the same place in the document as on the screen, for those who read it aloud. */
  draw() {
    const shown = Math.ceil(this.#height / this.#rowHeight) + 2 * OVERSCAN;
    const last = Math.max(0, this.#items.length - shown);
    const first = Math.min(last, Math.max(0, Math.floor(this.#top / this.#rowHeight) - OVERSCAN));
    const visible = Math.min(shown, this.#items.length - first);
    const transform = `translateY(${first * this.#rowHeight}px)`;
    if (this.window.style.transform !== transform) this.window.style.transform = transform;
    while (this.#rows.length < visible) {
      const row = this.create();
      this.#rows.push(row);
      this.window.append(row);
    }
    while (this.#rows.length > visible) this.#rows.pop().remove();
    this.#rows.forEach((row, at) => {
      const rowIndex = String(first + at + 2);
      if (row.getAttribute("aria-rowindex") !== rowIndex) row.setAttribute("aria-rowindex", rowIndex);
      this.update(row, this.#items[first + at], first + at);
    });
  }

  /** Scrolls as little as needed for a row to be in view. */
  reveal(index) {
    const head = this.table.clientHeight - this.pageRows() * this.#rowHeight;
    const [from, to] = [index * this.#rowHeight, (index + 1) * this.#rowHeight];
    if (from < this.table.scrollTop) this.table.scrollTop = from;
    else if (to > this.table.scrollTop + this.#height - head) this.table.scrollTop = to - this.#height + head;
    this.#top = this.table.scrollTop;
  }

  /** Whole rows that fit below the head. */
  pageRows() {
    const head = this.body.previousElementSibling?.offsetHeight ?? 0;
    return Math.max(1, Math.floor((this.#height - head) / this.#rowHeight));
  }
}
