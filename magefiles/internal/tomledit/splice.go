package tomledit

import (
	"fmt"
	"slices"
	"strings"
)

// Splice replaces bytes of a file: those at Start, which must be Old, become New.
type Splice struct {
	Start    int
	Old, New string
}

// End is the offset behind the bytes that are replaced.
func (s Splice) End() int { return s.Start + len(s.Old) }

// Splices returns src with all replacements made; each counts from the start of src, in any order. Every other byte
// stays. An error says that two of them overlap, or that src does not have Old where one of them looks for it.
func Splices(src []byte, splices ...Splice) ([]byte, error) {
	var out strings.Builder
	at := 0
	for _, s := range sorted(splices) {
		switch {
		case s.Start < at:
			return nil, fmt.Errorf("two edits of the same bytes at offset %d", s.Start)
		case s.End() > len(src) || string(src[s.Start:s.End()]) != s.Old:
			return nil, fmt.Errorf("there is no %q at offset %d", s.Old, s.Start)
		}
		out.Write(src[at:s.Start])
		out.WriteString(s.New)
		at = s.End()
	}
	out.Write(src[at:])
	return []byte(out.String()), nil
}

func sorted(splices []Splice) []Splice {
	return slices.SortedStableFunc(slices.Values(splices), func(a, b Splice) int { return a.Start - b.Start })
}
