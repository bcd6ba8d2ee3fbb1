"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const search = document.getElementById("search");
  const portal = document.getElementById("portal");
  const kinds = [...form.querySelectorAll("input[name=kind]")];
  const groups = [...document.querySelectorAll("details.portal")].map((element) => ({
    element,
    open: element.open,
    name: element.dataset.portal,
    cards: [...element.querySelectorAll(".card")].map((card) => ({
      card,
      kind: card.dataset.kind,
      text: card.textContent.toLowerCase().replace(/\s+/g, " "),
    })),
  }));
  const total = groups.reduce((sum, group) => sum + group.cards.length, 0);

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = portal ? portal.value : "";
    const hiddenKinds = new Set(kinds.filter((box) => !box.checked).map((box) => box.value));
    let shown = 0;
    for (const group of groups) {
      const name = group.name.toLowerCase();
      let inGroup = 0;
      for (const { card, kind, text } of group.cards) {
        const fits =
          (!wanted || wanted === group.name) &&
          !hiddenKinds.has(kind) &&
          words.every((word) => text.includes(word) || name.includes(word));
        card.hidden = !fits;
        inGroup += fits;
      }
      group.element.hidden = inGroup === 0;
      // What was looked for is to be seen; afterwards all is as it was.
      if (words.length || wanted) group.element.open = inGroup > 0;
      else group.element.open = group.open;
      shown += inGroup;
    }
    document.getElementById("none").hidden = shown > 0;
    document.getElementById("count").textContent = shown === total ? `${total} lines` : `${shown} of ${total} lines`;
  }

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("beforeprint", () => {
    for (const { element } of groups) if (!element.hidden) element.open = true;
  });
  apply();
})();
