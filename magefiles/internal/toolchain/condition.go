package toolchain

import (
	"regexp"
	"strings"
)

// truth is the value of a condition, which can be unknown.
type truth int

const (
	unknown truth = iota
	no
	yes
)

// Holds reports whether the expression of an "if(…)" table is known to be true on a conda platform. "" is always true.
func Holds(expression, platform string) bool { return holds(expression, platform) == yes }

// `holds` evaluates the expression of an "if(…)" table on a conda platform. It supports the platform names of build backends (linux, osx, win,
// unix), comparisons of host_platform, target_platform or build_platform with a name, the operators not, and, or, and parentheses. All other
// expressions, such as matches(python, …), are unknown. If platform is "", every expression is unknown.
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
	value := e.parseOr()
	if len(e.tokens) > 0 {
		return unknown
	}
	return value
}

var token = regexp.MustCompile(`[A-Za-z_]\w*|'[^']*'|"[^"]*"|==|!=|[()]`)

// evaluator is a recursive descent parser. `tokens` holds the remaining tokens.
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

func (e *evaluator) parseOr() truth {
	value := e.parseAnd()
	for e.peek() == "or" {
		e.next()
		value = max2(value, e.parseAnd(), yes, no)
	}
	return value
}

func (e *evaluator) parseAnd() truth {
	value := e.parseNot()
	for e.peek() == "and" {
		e.next()
		value = max2(value, e.parseNot(), no, yes)
	}
	return value
}

// max2 combines two values. If either is strong, the result is strong. If both are weak, the result is weak. Otherwise it is unknown.
func max2(a, b, strong, weak truth) truth {
	switch {
	case a == strong || b == strong:
		return strong
	case a == weak && b == weak:
		return weak
	}
	return unknown
}

func (e *evaluator) parseNot() truth {
	if e.peek() != "not" {
		return e.atom()
	}
	e.next()
	switch e.parseNot() {
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
		value := e.parseOr()
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
