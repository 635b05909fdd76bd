// The page of an export: once it is over, the server knows the link and draws it.
document.addEventListener("progress", (event) => {
  const { was, now } = event.detail;
  if (was && now && was.stage !== "over" && now.stage === "over") location.reload();
});
