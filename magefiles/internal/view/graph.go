package view

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// edge says that one package or downstream requires a package.
type edge struct {
	from, to, spec string
	pin            bool // spec is one version exactly
}

// Graph prints who requires whom: as text, as a Mermaid flowchart, or as an SVG picture.
func (v *View) Graph(w *workspace.Workspace, format string) error {
	columns, edges := graph(w)
	switch format {
	case "text":
		v.graphText(columns, edges)
	case "mermaid":
		v.graphMermaid(columns, edges)
	case "svg":
		v.Line("%s", graphSVG(columns, edges))
	default:
		return operr.NewUsage("use -format=text, mermaid or svg", "there is no graph format %q", format)
	}
	return nil
}

// graph returns the names in columns, what is required left of what requires it, and one edge for each pair.
func graph(w *workspace.Workspace) (columns [][]string, edges []edge) {
	for _, level := range w.Levels() {
		var names []string
		for _, p := range level {
			names = append(names, p.Name)
			edges = append(edges, edgesOf(p.Name, p.Requires)...)
		}
		columns = append(columns, names)
	}
	var names []string
	for _, d := range w.Downstreams {
		names = append(names, w.Label(d))
		edges = append(edges, edgesOf(w.Label(d), d.Requires)...)
	}
	if len(names) > 0 {
		columns = append(columns, names)
	}
	return columns, edges
}

// edgesOf has one edge for each package that is required, with the version that is asked for: an exact pin rather than a range, and
// a path, which asks for none, last.
func edgesOf(from string, requires []workspace.Requirement) []edge {
	var out []edge
	for _, r := range requires {
		i := slices.IndexFunc(out, func(e edge) bool { return e.to == r.Package })
		if i < 0 {
			out = append(out, edge{from: from, to: r.Package, spec: r.Spec, pin: r.Pin != ""})
		} else if e := &out[i]; r.Pin != "" && !e.pin || e.spec == "" {
			e.spec, e.pin = r.Spec, r.Pin != ""
		}
	}
	return out
}

func (v *View) graphText(columns [][]string, edges []edge) {
	for _, column := range columns {
		for _, name := range column {
			v.Line("%s", v.paint(bold, name))
			own := slices.DeleteFunc(slices.Clone(edges), func(e edge) bool { return e.from != name })
			for n, e := range own {
				branch := "├─"
				if n == len(own)-1 {
					branch = "└─"
				}
				v.Line("  %s %s", branch, strings.TrimSpace(e.to+" "+e.spec))
			}
		}
	}
}

func (v *View) graphMermaid(columns [][]string, edges []edge) {
	v.Line("flowchart LR")
	for _, name := range slices.Concat(columns...) {
		v.Line("  %s[\"%s\"]", mermaidID(name), escapeForPicture(name))
	}
	for _, e := range edges {
		label := ""
		if e.spec != "" {
			label = `|"` + escapeForPicture(e.spec) + `"|`
		}
		v.Line("  %s -->%s %s", mermaidID(e.from), label, mermaidID(e.to))
	}
}

// escapeForPicture makes text from a manifest fit for a picture, in one line and with no character that a page obeys, or that XML has no place for.
func escapeForPicture(text string) string {
	return html.EscapeString(escape(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(text)))
}

// mermaidID makes a name that Mermaid takes for an identifier; "end" would be a keyword.
func mermaidID(name string) string {
	return "n_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

// The measures of the picture, in pixels.
const (
	boxWidth, boxHeight = 180, 36
	gapX, gapY          = 80, 24
	margin              = 16
)

// graphSVG draws one column of boxes for each level, and a line for each edge.
func graphSVG(columns [][]string, edges []edge) string {
	type point struct{ x, y int }
	at, height := map[string]point{}, 0
	for x, column := range columns {
		for y, name := range column {
			at[name] = point{margin + x*(boxWidth+gapX), margin + y*(boxHeight+gapY)}
			height = max(height, at[name].y+boxHeight)
		}
	}
	var b strings.Builder
	width := 2*margin + len(columns)*(boxWidth+gapX) - gapX
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="14">`+"\n", width, height+margin)
	b.WriteString(`<defs><marker id="arrow" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto"><path d="M0 0 8 4 0 8z" fill="#666"/></marker></defs>` + "\n")
	for _, e := range edges {
		from, to := at[e.from], at[e.to]
		x1, y1, x2, y2 := from.x, from.y+boxHeight/2, to.x+boxWidth, to.y+boxHeight/2
		fmt.Fprintf(&b, `<path d="M%d %dC%d %d %d %d %d %d" fill="none" stroke="#666" marker-end="url(#arrow)"><title>%s requires %s</title></path>`+"\n",
			x1, y1, x1-gapX/2, y1, x2+gapX/2, y2, x2, y2, escapeForPicture(e.from), escapeForPicture(strings.TrimSpace(e.to+" "+e.spec)))
	}
	for _, column := range columns {
		for _, name := range column {
			p := at[name]
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="#fff" stroke="#333"/><text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n",
				p.x, p.y, boxWidth, boxHeight, p.x+boxWidth/2, p.y+boxHeight/2+5, escapeForPicture(name))
		}
	}
	return b.String() + "</svg>"
}
