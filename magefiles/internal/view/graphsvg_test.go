package view

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// No arrow runs behind a box or overlaps another arrow. Spots in a column do not overlap, arrows end at different points of a box, and there are no
// boxes between columns.
func TestArrowsHaveRoom(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 27))
		var nodes [][]node
		var edges []edge
		for x := range 1 + random.IntN(5) {
			nodes = append(nodes, nil)
			for i := range 1 + random.IntN(5) {
				n := node{name: fmt.Sprintf("n%d-%d", x, i), version: "1.0"}
				for y := range x {
					for _, to := range nodes[y] {
						if random.IntN(3) == 0 {
							edges = append(edges, edge{from: n.name, to: to.name})
						}
					}
				}
				nodes[x] = append(nodes[x], n)
			}
		}
		p := layOut(nodes, edges)
		right := 0
		for x, column := range p.columns {
			slices.SortFunc(column, func(a, b *spot) int { return a.y - b.y })
			for i, s := range column {
				require.Greater(t, s.x, right, "a column begins after the space for arrows")
				require.GreaterOrEqual(t, s.y, margin)
				require.LessOrEqual(t, s.y+s.h, p.height-margin-legendAt)
				if i > 0 {
					require.GreaterOrEqual(t, s.y, column[i-1].y+column[i-1].h+gapY)
				}
				for _, hops := range [][]*hop{s.ins, s.outs} {
					places := map[int]bool{}
					for _, h := range hops {
						at := h.y1
						if h.to == s {
							at = h.y2
						}
						require.False(t, places[at], "two arrows at the same place")
						places[at] = true
						require.Greater(t, at, s.y)
						require.Less(t, at, s.y+s.h)
					}
				}
				if s.node == nil {
					require.Equal(t, s.ins[0].y2, s.outs[0].y1, "a lane is straight")
				}
			}
			right = column[0].x + column[0].w + gapX - 1
			require.LessOrEqual(t, column[0].x+column[0].w, p.width-margin, "column %d", x)
		}
		arrows := 0
		for _, h := range p.hops {
			if h.from.node != nil {
				arrows++
			}
		}
		require.Equal(t, len(edges), arrows)
	}
}
