package tomledit

import (
	"fmt"
	"slices"
	"strings"
)

// Splice is a replacement in a file: the bytes at Start, which must be Old, become New.
type Splice struct {
	Start    int
	Old, New string
}

// End returns the offset after the replaced bytes.
func (s Splice) End() int { return s.Start + len(s.Old) }

// Splices applies replacements, in any order, to src. Offsets refer to the original src. It returns an error if two replacements overlap, or if
// src does not contain Old at Start.
func Splices(src []byte, splices ...Splice) ([]byte, error) {
	var out strings.Builder
	at := 0
	for _, s := range sortSplices(splices) {
		switch {
		case s.Start < at:
			return nil, fmt.Errorf("two edits change the same bytes at offset %d", s.Start)
		case s.End() > len(src) || string(src[s.Start:s.End()]) != s.Old:
			return nil, fmt.Errorf("expected %q at offset %d, found other text", s.Old, s.Start)
		}
		out.Write(src[at:s.Start])
		out.WriteString(s.New)
		at = s.End()
	}
	out.Write(src[at:])
	return []byte(out.String()), nil
}

func sortSplices(splices []Splice) []Splice {
	return slices.SortedStableFunc(slices.Values(splices), func(a, b Splice) int { return a.Start - b.Start })
}
