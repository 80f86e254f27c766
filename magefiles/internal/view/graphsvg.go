package view

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Dimensions of the picture, in pixels.
const (
	boxHeight   = 46
	leastWidth  = 120 // minimum width of a box
	letterWidth = 8   // approximate width of the widest letters in a name
	laneHeight  = 14  // height of an arrow's lane through a column, and of its end at a box
	gapX, gapY  = 90, 22
	margin      = 20
	legendAt    = 34 // distance of the legend from the boxes
)

// spot is a box, or an arrow's lane through a column.
type spot struct {
	node     *node // nil for a lane
	x, y     int
	w, h     int
	ins      []*hop // arrows that point at it, from the right
	outs     []*hop // arrows that leave it, to the left
	standing float64
}

// hop is the part of an arrow from one column to the column on its left.
type hop struct {
	edge     edge
	from, to *spot
	y1, y2   int
}

// picture is a graph with positions.
type picture struct {
	columns       [][]*spot
	hops          []*hop
	width, height int
}

// layOut positions the boxes. Each arrow gets its own lane through every column that it crosses, so no arrow runs behind a box or overlaps another.
func layOut(nodes [][]node, edges []edge) *picture {
	p := &picture{}
	at, column := map[string]*spot{}, map[string]int{}
	for x := range nodes {
		p.columns = append(p.columns, nil)
		for i := range nodes[x] {
			n := &nodes[x][i]
			s := &spot{node: n, w: max(leastWidth, letterWidth*max(utf8.RuneCountInString(n.name), utf8.RuneCountInString(n.version))+24)}
			at[n.name], column[n.name] = s, x
			p.columns[x] = append(p.columns[x], s)
		}
	}
	for _, e := range edges {
		to, from := at[e.to], at[e.from]
		if to == nil || from == nil || column[e.to] >= column[e.from] {
			continue
		}
		right := from
		for x := column[e.from] - 1; x >= column[e.to]; x-- {
			left := to
			if x > column[e.to] {
				left = &spot{h: laneHeight}
				p.columns[x] = append(p.columns[x], left)
			}
			h := &hop{edge: e, from: right, to: left}
			right.outs, left.ins = append(right.outs, h), append(left.ins, h)
			p.hops = append(p.hops, h)
			right = left
		}
	}
	p.untangle()
	p.place()
	return p
}

// untangle sorts each column by its connections to the neighboring columns, to reduce the number of crossing arrows.
func (p *picture) untangle() {
	number := func() {
		for _, column := range p.columns {
			for i, s := range column {
				s.standing = float64(i) - float64(len(column)-1)/2
			}
		}
	}
	number()
	for round := range 8 {
		for i := range p.columns {
			x := i
			if round%2 == 1 {
				x = len(p.columns) - 1 - i
			}
			wish := map[*spot]float64{}
			for _, s := range p.columns[x] {
				sum, n := 0.0, 0
				for _, h := range s.outs {
					sum, n = sum+h.to.standing, n+1
				}
				for _, h := range s.ins {
					sum, n = sum+h.from.standing, n+1
				}
				if wish[s] = s.standing; n > 0 {
					wish[s] = sum / float64(n)
				}
			}
			slices.SortStableFunc(p.columns[x], func(a, b *spot) int {
				switch {
				case wish[a] < wish[b]:
					return -1
				case wish[a] > wish[b]:
					return 1
				}
				return 0
			})
			number()
		}
	}
}

// place computes the coordinates of columns and spots, and where each arrow leaves and enters a box.
func (p *picture) place() {
	var heights []int
	x := margin
	for _, column := range p.columns {
		w, h := 0, -gapY
		for _, s := range column {
			if s.node != nil {
				s.h = max(boxHeight, laneHeight*(1+max(len(s.ins), len(s.outs))))
			}
			w, h = max(w, s.w), h+s.h+gapY
		}
		for _, s := range column {
			s.x, s.w = x, w
		}
		heights = append(heights, h)
		x += w + gapX
	}
	p.width = max(x-gapX+margin, 440)
	tallest := 0
	if len(heights) > 0 {
		tallest = slices.Max(heights)
	}
	p.height = tallest + 2*margin + legendAt
	for i, column := range p.columns {
		y := margin + (tallest-heights[i])/2
		for _, s := range column {
			s.y = y
			y += s.h + gapY
		}
	}
	for _, s := range slices.Concat(p.columns...) {
		slices.SortStableFunc(s.ins, func(a, b *hop) int { return a.from.y - b.from.y })
		slices.SortStableFunc(s.outs, func(a, b *hop) int { return a.to.y - b.to.y })
		for i, h := range s.ins {
			h.y2 = s.y + s.h*(i+1)/(len(s.ins)+1)
		}
		for i, h := range s.outs {
			h.y1 = s.y + s.h*(i+1)/(len(s.outs)+1)
		}
	}
}

// pictureStyle is readable on light and dark pages, because it sets the background, and scales the picture down in a narrow window.
const pictureStyle = `<style>
svg{max-width:100%;height:auto;background:#fff}@media (prefers-color-scheme:dark){svg{background:#16181b}}
.ground{fill:#fff}.box{fill:#eaf1fb;stroke:#2f5d9e;stroke-width:1.5}.downstream{fill:#fff4e2;stroke:#a8650b;stroke-dasharray:6 3}
text{fill:#1a1d21}.version,.legend{fill:#4f5863;font-size:12px}.edge{fill:none;stroke:#5b6470;stroke-width:1.4}.range{stroke-dasharray:5 4}.tip{fill:#5b6470}
@media (prefers-color-scheme:dark){.ground{fill:#16181b}.box{fill:#1d2b40;stroke:#7aa8e6}.downstream{fill:#33270f;stroke:#e0a95c}text{fill:#e8eaed}.version,.legend{fill:#a3acb8}.edge{stroke:#a3acb8}.tip{fill:#a3acb8}}
</style>
`

// graphSVG draws a column of boxes for each level, an arrow for each edge, and a legend.
func graphSVG(nodes [][]node, edges []edge) string {
	p := layOut(nodes, edges)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="14">`+"\n", p.width, p.height, p.width, p.height)
	b.WriteString(pictureStyle)
	b.WriteString(`<defs><marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto" markerUnits="userSpaceOnUse"><path class="tip" d="M0 0 9 4 0 8z"/></marker></defs>` + "\n")
	fmt.Fprintf(&b, `<rect class="ground" width="%d" height="%d"/>`+"\n", p.width, p.height)
	for _, h := range p.hops {
		if h.from.node != nil {
			b.WriteString(h.path())
		}
	}
	for _, s := range slices.Concat(p.columns...) {
		if s.node != nil {
			b.WriteString(s.box())
		}
	}
	y := p.height - margin
	fmt.Fprintf(&b, `<g class="legend"><rect class="sample box" x="%d" y="%d" width="22" height="14" rx="4"/><text class="legend" x="%d" y="%d">package</text>`, margin, y-11, margin+28, y)
	fmt.Fprintf(&b, `<rect class="sample box downstream" x="%d" y="%d" width="22" height="14" rx="7"/><text class="legend" x="%d" y="%d">downstream</text>`, margin+90, y-11, margin+118, y)
	fmt.Fprintf(&b, `<path class="edge" d="M%d %dh24" marker-end="url(#tip)"/><text class="legend" x="%d" y="%d">requires exactly</text>`, margin+200, y-4, margin+230, y)
	fmt.Fprintf(&b, `<path class="edge range" d="M%d %dh24" marker-end="url(#tip)"/><text class="legend" x="%d" y="%d">a range</text></g>`+"\n", margin+334, y-4, margin+364, y)
	return b.String() + "</svg>"
}

// path returns the SVG path of the arrow that begins with a hop, through all columns that it crosses.
func (h *hop) path() string {
	class, e := "edge", h.edge
	if !e.pin {
		class += " range"
	}
	var d strings.Builder
	fmt.Fprintf(&d, "M%d %d", h.from.x, h.y1)
	for {
		x1, x2 := h.from.x, h.to.x+h.to.w
		bend := (x1 - x2) / 2
		fmt.Fprintf(&d, "C%d %d %d %d %d %d", x1-bend, h.y1, x2+bend, h.y2, x2, h.y2)
		if h.to.node != nil {
			break
		}
		h = h.to.outs[0]
		fmt.Fprintf(&d, "H%d", h.from.x)
	}
	return fmt.Sprintf(`<path class="%s" d="%s" marker-end="url(#tip)"><title>%s requires %s</title></path>`+"\n",
		class, d.String(), escapeForPicture(e.from), escapeForPicture(strings.TrimSpace(e.to+" "+e.spec)))
}

// box returns the SVG of a package or a downstream, with its version.
func (s *spot) box() string {
	class, round, up := "box", 6, 0
	if s.node.downstream {
		class, round = "box downstream", s.h/2
	}
	middle, center := s.x+s.w/2, s.y+s.h/2
	version := ""
	if s.node.version != "" {
		up = 8
		version = fmt.Sprintf(`<text class="version" x="%d" y="%d" text-anchor="middle">%s</text>`, middle, center+14, escapeForPicture(s.node.version))
	}
	return fmt.Sprintf(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/><text x="%d" y="%d" text-anchor="middle">%s</text>%s`+"\n",
		class, s.x, s.y, s.w, s.h, round, middle, center+5-up, escapeForPicture(s.node.name), version)
}
