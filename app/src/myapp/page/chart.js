// A canvas does not follow the page's colors by itself.
function resolved(colour) { // a canvas does not know the names of the system's colors
  if (colour.startsWith("#")) return colour
  const probe = document.body.appendChild(document.createElement("i"))
  probe.style.color = colour
  const found = getComputedStyle(probe).color
  probe.remove()
  return found
}
function follow() {
  if (window.matchMedia("print").matches) return // the plot would not be drawn in time
  const style = getComputedStyle(document.documentElement)
  const [text, line] = ["--text", "--line"].map((name) => resolved(style.getPropertyValue(name).trim()))
  plot.outline_line_color = line
  for (const part of [...plot.below, ...plot.left, ...plot.above, ...plot.right, ...plot.center]) {
    const colours = {
      axis_label_text_color: text, major_label_text_color: text, axis_line_color: line, major_tick_line_color: line,
      minor_tick_line_color: line, grid_line_color: line, label_text_color: text, background_fill_color: null, border_line_color: null,
    }
    for (const [name, colour] of Object.entries(colours)) {
      if (name in part.properties) part.setv({[name]: colour})
    }
  }
}
if (!plot.tags.includes("follows")) {
  plot.tags = [...plot.tags, "follows"]
  for (const media of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    window.matchMedia(media).addEventListener("change", follow)
  }
  follow()
}
