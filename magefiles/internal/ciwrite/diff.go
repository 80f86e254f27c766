package ciwrite

import (
	"fmt"
	"strings"
)

// around is how many lines a difference shows around what differs.
const around = 3

// diff is the difference of two texts, as `git apply` takes it; "" where there is none.
func diff(name, old, next string) string {
	a, b := split(old), split(next)
	all := compareLines(a, b)
	var out strings.Builder
	atOld, atNew := 1, 1
	for i := 0; i < len(all); {
		if all[i][0] == ' ' {
			atOld, atNew, i = atOld+1, atNew+1, i+1
			continue
		}
		first := max(0, i-around)
		last := i // of the hunk, with the lines around it that both have
		for n := i; n < len(all) && n <= last+2*around; n++ {
			if all[n][0] != ' ' {
				last = n
			}
		}
		end := min(len(all), last+1+around)
		hunk := all[first:end]
		olds, news := 0, 0
		for _, l := range hunk {
			if l[0] != '+' {
				olds++
			}
			if l[0] != '-' {
				news++
			}
		}
		if out.Len() == 0 {
			fmt.Fprintf(&out, "--- a/%s\n+++ b/%s\n", name, name)
		}
		fmt.Fprintf(&out, "@@ -%d,%d +%d,%d @@\n", atOld-(i-first), olds, atNew-(i-first), news)
		for _, l := range hunk {
			out.WriteString(l + "\n")
		}
		for _, l := range all[i:end] {
			if l[0] != '+' {
				atOld++
			}
			if l[0] != '-' {
				atNew++
			}
		}
		i = end
	}
	return out.String()
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

// mostLines is how long two texts may be, after what they begin and end with alike, to be compared line by line.
const mostLines = 5000

// compareLines are the lines of two texts, each behind its sign: a blank for one that both have. Texts that are too long differ whole.
func compareLines(a, b []string) (all []string) {
	begin := 0
	for begin < len(a) && begin < len(b) && a[begin] == b[begin] {
		all, begin = append(all, " "+a[begin]), begin+1
	}
	a, b = a[begin:], b[begin:]
	var rest []string
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		rest = append([]string{" " + a[len(a)-1]}, rest...)
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	common := make([][]int, len(a)+1) // of a[i:] and b[j:]
	if len(a) <= mostLines && len(b) <= mostLines {
		for i := range common {
			common[i] = make([]int, len(b)+1)
		}
		for i := len(a) - 1; i >= 0; i-- {
			for j := len(b) - 1; j >= 0; j-- {
				if a[i] == b[j] {
					common[i][j] = common[i+1][j+1] + 1
				} else {
					common[i][j] = max(common[i+1][j], common[i][j+1])
				}
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) && common[i] != nil {
		switch {
		case a[i] == b[j]:
			all, i, j = append(all, " "+a[i]), i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			all, i = append(all, "-"+a[i]), i+1
		default:
			all, j = append(all, "+"+b[j]), j+1
		}
	}
	for ; i < len(a); i++ {
		all = append(all, "-"+a[i])
	}
	for ; j < len(b); j++ {
		all = append(all, "+"+b[j])
	}
	return append(all, rest...)
}
