// Conveniences on top of pages that work without script: focus on errors, characters left, progress, copying.
(function () {
  "use strict";
  var summary = document.querySelector("[data-cv-focus]");
  if (summary && !("autofocus" in HTMLElement.prototype)) summary.focus();

  document.querySelectorAll("textarea[data-cv-max]").forEach(function (area) {
    var limit = Number(area.dataset.cvMax);
    var note = document.getElementById(area.id + "-count");
    if (!note || !limit) return;
    var rest = note.textContent;
    var spoken = document.createElement("span");
    var waiting;
    spoken.className = "cv-visually-hidden";
    spoken.setAttribute("role", "status");
    note.after(spoken);
    function show() {
      var left = limit - Array.from(area.value.replace(/\r\n/g, "\n")).length;
      var near = left <= Math.max(50, limit / 10);
      var number = Math.abs(left).toLocaleString(document.documentElement.lang || undefined);
      note.textContent = near ? (left < 0 ? note.dataset.cvOver : note.dataset.cvLeft) + " " + number : rest;
      note.classList.toggle("cv-count--over", left < 0);
      clearTimeout(waiting);
      waiting = setTimeout(function () { spoken.textContent = near ? note.textContent : ""; }, 1000);
    }
    area.addEventListener("input", show);
    if (area.value) show();
  });

  document.querySelectorAll("[data-cv-live]").forEach(function look(part) {
    setTimeout(function () {
      fetch(location.href).then(function (answer) { return answer.text(); }).then(function (html) {
        var now = new DOMParser().parseFromString(html, "text/html").getElementById(part.id);
        if (!now) return;
        part.replaceChildren.apply(part, now.childNodes);
        if ("cvLive" in now.dataset) look(part);
      }, function () { look(part); });
    }, 3000);
  });

  document.querySelectorAll("[data-cv-copy]").forEach(function (button) {
    var code = document.getElementById(button.dataset.cvCopy);
    if (!code || !navigator.clipboard) return;
    var label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(code.textContent).then(function () {
        button.textContent = button.dataset.cvCopied;
        setTimeout(function () { button.textContent = label; }, 3000);
      });
    });
  });
})();
