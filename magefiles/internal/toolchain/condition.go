package toolchain

import (
	"regexp"
	"strings"
)

// truth is what is known of a condition: also that nothing is known.
type truth int

const (
	unknown truth = iota
	no
	yes
)

// Holds reports whether the expression of an "if(…)" table is known to hold on a conda platform; "" always holds.
func Holds(expression, platform string) bool { return holds(expression, platform) == yes }

// holds evaluates the expression of an "if(…)" table on a conda platform. It knows what build backends say of
// platforms (linux, osx, win, unix, and host_platform, target_platform or build_platform compared with a name) and how
// that is combined (not, and, or, parentheses). Anything else, such as matches(python, …), and everything where the
// platform is "", is unknown.
func holds(expression, platform string) truth {
	if expression == "" {
		return yes
	}
	if platform == "" {
		return unknown
	}
	e := &evaluator{tokens: token.FindAllString(expression, -1), platform: platform}
	if strings.Join(e.tokens, "") != strings.Join(strings.Fields(expression), "") {
		return unknown
	}
	value := e.or()
	if len(e.tokens) > 0 {
		return unknown
	}
	return value
}

var token = regexp.MustCompile(`[A-Za-z_]\w*|'[^']*'|"[^"]*"|==|!=|[()]`)

// evaluator is a recursive descent over the tokens that are left.
type evaluator struct {
	tokens   []string
	platform string
}

func (e *evaluator) peek() string {
	if len(e.tokens) == 0 {
		return ""
	}
	return e.tokens[0]
}

func (e *evaluator) next() string {
	t := e.peek()
	if t != "" {
		e.tokens = e.tokens[1:]
	}
	return t
}

func (e *evaluator) or() truth {
	value := e.and()
	for e.peek() == "or" {
		e.next()
		value = max2(value, e.and(), yes, no)
	}
	return value
}

func (e *evaluator) and() truth {
	value := e.not()
	for e.peek() == "and" {
		e.next()
		value = max2(value, e.not(), no, yes)
	}
	return value
}

// max2 combines two values: one that is strong decides, two that are weak are weak, anything else is unknown.
func max2(a, b, strong, weak truth) truth {
	switch {
	case a == strong || b == strong:
		return strong
	case a == weak && b == weak:
		return weak
	}
	return unknown
}

func (e *evaluator) not() truth {
	if e.peek() != "not" {
		return e.atom()
	}
	e.next()
	switch e.not() {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

func (e *evaluator) atom() truth {
	family, _, _ := strings.Cut(e.platform, "-")
	switch t := e.next(); t {
	case "(":
		value := e.or()
		if e.next() != ")" {
			return unknown
		}
		return value
	case "linux", "osx", "win":
		return is(family == t)
	case "unix":
		return is(family == "linux" || family == "osx")
	case "host_platform", "target_platform", "build_platform":
		op, name := e.next(), strings.Trim(e.next(), `'"`)
		if op != "==" && op != "!=" || name == "" {
			return unknown
		}
		return is((name == e.platform) == (op == "=="))
	}
	return unknown
}

func is(b bool) truth {
	if b {
		return yes
	}
	return no
}
