// The form of a rule shows the options of the chosen action only.
document.querySelectorAll("form[data-rule]").forEach((form) => {
  const choice = form.querySelector("select[name=action]");
  const show = () => {
    form.querySelectorAll("fieldset[data-action]").forEach((group) => {
      group.hidden = group.dataset.action !== choice.value;
    });
  };
  choice.addEventListener("change", show);
  show();
});
