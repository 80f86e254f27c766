package file

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decimal matches a number of YAML 1.2's core schema, except numbers with a base, NaN and infinity.
var decimal = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// tag returns the type that GitHub gives a scalar: GitHub follows YAML 1.2's core schema. The reader of YAML also takes numbers of 1.1: it reads 012,
// 0b11 and 1_000 as ten, three and a thousand. To GitHub these are the number twelve and two texts.
func tag(n *yaml.Node) string {
	short := n.ShortTag()
	if n.Style&yaml.TaggedStyle != 0 || (short != "!!int" && short != "!!float") {
		return short
	}
	if _, is := number(n.Value); !is {
		return "!!str"
	}
	return "!!float"
}

// number reads a plain scalar as GitHub does. A hexadecimal or octal number has 32 bits.
func number(s string) (f float64, is bool) {
	switch s {
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return math.Inf(1), true
	case "-.inf", "-.Inf", "-.INF":
		return math.Inf(-1), true
	case ".nan", ".NaN", ".NAN":
		return math.NaN(), true
	}
	for prefix, base := range map[string]int{"0x": 16, "0o": 8} {
		if digits, has := strings.CutPrefix(s, prefix); has {
			n, err := strconv.ParseUint(digits, base, 32)
			return float64(int32(n)), err == nil
		}
	}
	if !decimal.MatchString(s) {
		return 0, false
	}
	f, _ = strconv.ParseFloat(s, 64) // a number that is too large becomes infinite
	return f, true
}
