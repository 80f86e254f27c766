package view

import (
	"html"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// edge says that one package or downstream requires a package.
type edge struct {
	from, to, spec string
	pin            bool // spec is exactly one version
}

// Graph prints the dependency graph as text, as a Mermaid flowchart, or as an SVG picture.
func (v *View) Graph(w *workspace.Workspace, format string) error {
	columns, edges := graph(w)
	switch format {
	case "text":
		v.graphText(columns, edges)
	case "mermaid":
		v.graphMermaid(columns, edges)
	case "json":
		return v.JSON(draw(columns, edges))
	case "svg":
		v.Line("%s", graphSVG(columns, edges))
	default:
		return operr.NewUsage("use -format=text, -format=mermaid or -format=svg", "there is no graph format %q", format)
	}
	return nil
}

// node is a package or a downstream.
type node struct {
	name, version string // the version may be ""
	downstream    bool
}

// label returns a node in one line.
func (n node) label() string { return strings.TrimSpace(n.name + " " + n.version) }

// drawing is the JSON form of a graph.
type drawing struct {
	Nodes []drawnNode `json:"nodes"` // each after the packages that it requires
	Edges []drawnEdge `json:"edges"`
}

type drawnNode struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	Downstream bool   `json:"downstream"`
}

type drawnEdge struct {
	From string `json:"from"`
	To   string `json:"to"` // package that From requires
	Spec string `json:"spec"`
	Pin  bool   `json:"pin"` // Spec is exactly one version
}

func draw(columns [][]node, edges []edge) drawing {
	d := drawing{Nodes: []drawnNode{}, Edges: []drawnEdge{}}
	for _, n := range slices.Concat(columns...) {
		d.Nodes = append(d.Nodes, drawnNode{Name: n.name, Version: n.version, Downstream: n.downstream})
	}
	for _, e := range edges {
		d.Edges = append(d.Edges, drawnEdge{From: e.from, To: e.to, Spec: e.spec, Pin: e.pin})
	}
	return d
}

// graph returns the nodes in columns, each node to the right of all nodes that it requires, and one edge for each pair.
func graph(w *workspace.Workspace) (columns [][]node, edges []edge) {
	for _, level := range w.Levels() {
		var nodes []node
		for _, p := range level {
			nodes = append(nodes, node{name: p.Name, version: p.Version.Text})
			edges = append(edges, edgesOf(p.Name, p.Requires)...)
		}
		columns = append(columns, nodes)
	}
	var nodes []node
	for _, d := range w.Downstreams {
		nodes = append(nodes, node{name: w.Label(d), version: d.Manifest.Version, downstream: true})
		edges = append(edges, edgesOf(w.Label(d), d.Requires)...)
	}
	if len(nodes) > 0 {
		columns = append(columns, nodes)
	}
	return columns, edges
}

// edgesOf returns one edge for each required package, with the required version. It prefers an exact pin to a range, and a range to a path, which has
// no version.
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

func (v *View) graphText(columns [][]node, edges []edge) {
	for _, column := range columns {
		for _, n := range column {
			what := ""
			if n.downstream {
				what = " (a downstream)"
			}
			v.Line("%s%s", v.paint(bold, n.label()), what)
			own := slices.DeleteFunc(slices.Clone(edges), func(e edge) bool { return e.from != n.name })
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

func (v *View) graphMermaid(columns [][]node, edges []edge) {
	v.Line("flowchart LR")
	for _, n := range slices.Concat(columns...) {
		begin, end := "[", "]"
		if n.downstream { // a downstream is drawn as a stadium
			begin, end = "([", "])"
		}
		v.Line("  %s%s\"%s\"%s", mermaidID(n.name), begin, escapeForPicture(n.label()), end)
	}
	for _, e := range edges {
		label := ""
		if e.spec != "" {
			label = `|"` + escapeForPicture(e.spec) + `"|`
		}
		v.Line("  %s -->%s %s", mermaidID(e.from), label, mermaidID(e.to))
	}
}

// escapeForPicture returns a manifest's text on one line, without control characters and characters that XML does not allow.
func escapeForPicture(text string) string {
	return html.EscapeString(escape(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(text)))
}

// mermaidID returns a name that Mermaid accepts as an identifier; "end" would be a keyword.
func mermaidID(name string) string {
	return "n_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}
