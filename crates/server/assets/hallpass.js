// What makes the pages nicer when scripts run. Every page works without this file.
"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // The exact moments on hover, in the reader's own time zone.
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const localTimes = (within) => {
    for (const time of all("time[datetime]", within)) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.valueOf())) time.title = exact.format(at);
    }
  };

  // A link to a page that asks first opens that page's question in a dialog.
  const fetchPage = async (href) => {
    const answer = await fetch(href, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };
  const openDialog = async (link) => {
    let part;
    try {
      part = (await fetchPage(link.href)).querySelector("[data-dialog-part]");
    } catch {
      part = null;
    }
    if (!part) {
      location.assign(link.href);
      return;
    }
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", part.getAttribute("aria-labelledby"));
    dialog.append(document.adoptNode(part));
    localTimes(dialog);
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      link.focus();
    });
    dialog.addEventListener("click", (event) => {
      const close = event.target.closest("[data-close]");
      if (close) event.preventDefault();
      if (close || event.target === dialog) dialog.close();
    });
    dialog.showModal();
    dialog.querySelector("[data-close]")?.focus();
  };

  // The next page of a list comes below this one.
  const showMore = async (link) => {
    let page;
    try {
      page = await fetchPage(link.href);
    } catch {
      location.assign(link.href);
      return;
    }
    const rows = document.querySelector("[data-rows]");
    const added = all("[data-rows] > tr", page).map((row) => document.adoptNode(row));
    rows.append(...added);
    localTimes(rows);
    const next = page.querySelector("a[data-more]");
    if (next) link.href = next.getAttribute("href");
    else link.parentElement.remove();
    added[0]?.querySelector("a")?.focus();
  };

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a[data-dialog], a[data-more]");
    if (!link) return;
    event.preventDefault();
    if (link.hasAttribute("data-more")) showMore(link);
    else openDialog(link);
  });

  // Copying. The words say what happened; nothing is copied by itself.
  const select = (element) => getSelection().selectAllChildren(element);
  for (const button of all("[data-copy]")) {
    const secret = document.getElementById(button.dataset.copy);
    const said = document.querySelector("[data-copy-said]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      select(secret);
      try {
        await navigator.clipboard.writeText(secret.textContent);
        button.textContent = "Copied";
        said.textContent = button.dataset.copied || "Copied. Put it where your program reads secrets, then leave this page.";
      } catch {
        said.textContent = "This browser does not let the page copy. It is selected: press Ctrl+C, or ⌘C.";
      }
    });
  }

  // A page that is left and come back to does not show the secret a second time.
  addEventListener("pagehide", () => {
    for (const panel of all("[data-once]")) panel.remove();
  });

  // Finding permissions in a long list, and counting the chosen ones.
  for (const filter of all("[data-filter]")) {
    const list = document.getElementById(filter.dataset.filter);
    const labels = all("label", list);
    const none = list.querySelector(".none");
    const counted = document.querySelector(`[data-counted="${filter.dataset.filter}"]`);
    const count = () => {
      const chosen = labels.filter((label) => label.querySelector("input").checked).length;
      counted.textContent = `${chosen} of ${labels.length} chosen.`;
    };
    filter.hidden = labels.length < 8;
    counted.hidden = false;
    count();
    list.addEventListener("change", count);
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/);
      for (const label of labels) {
        const text = label.textContent.toLowerCase();
        label.hidden = !words.every((word) => text.includes(word));
      }
      none.hidden = labels.some((label) => !label.hidden);
    });
    // Enter in the search must not send the form.
    filter.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }

  // The menu of organizations closes like every menu.
  const places = document.querySelector(".places");
  if (places) {
    document.addEventListener("click", (event) => {
      if (!places.contains(event.target)) places.open = false;
    });
    places.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !places.open) return;
      places.open = false;
      places.querySelector("summary").focus();
    });
  }

  localTimes(document);
})();
