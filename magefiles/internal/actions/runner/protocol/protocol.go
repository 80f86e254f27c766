// Package protocol parses what a step sends to the runner, in files and in lines of its output.
package protocol

import (
	"fmt"
	"strings"
)

// Pair is a name and value that a step wrote to a file.
type Pair struct{ Name, Value string }

// Pairs parses GITHUB_ENV, GITHUB_OUTPUT or GITHUB_STATE as GitHub's runner does: either NAME=VALUE, or NAME<<END followed by the lines of the value
// and the line END. If a line has both signs, the first one decides. A line with neither is an error, with GitHub's message.
func Pairs(text string) (all []Pair, err error) {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line == "" {
			continue
		}
		equals, here := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case equals >= 0 && (here < 0 || equals < here):
			if equals == 0 {
				return nil, fmt.Errorf("invalid format %q: the name must not be empty", line)
			}
			all = append(all, Pair{Name: line[:equals], Value: line[equals+1:]})
		case here >= 0:
			name, end := line[:here], line[here+2:]
			if name == "" || end == "" {
				return nil, fmt.Errorf("invalid format %q: neither the name nor the delimiter may be empty", line)
			}
			value, rest, found := cutAt(text, end)
			if !found {
				return nil, fmt.Errorf("invalid value: matching delimiter not found %q (the delimiter must be on a separate line: does the value end with a newline?)", end)
			}
			all, text = append(all, Pair{Name: name, Value: value}), rest
		default:
			return nil, fmt.Errorf("invalid format %q", line)
		}
	}
	return all, nil
}

// cutAt splits a text at the delimiter line. The newline before that line is not part of the value.
func cutAt(text, delimiter string) (value, rest string, found bool) {
	for at := 0; at < len(text); {
		line, after, ended := strings.Cut(text[at:], "\n")
		if line == delimiter {
			return strings.TrimSuffix(text[:at], "\n"), after, true
		}
		if !ended {
			break
		}
		at = len(text) - len(after)
	}
	return "", "", false
}

// Paths parses GITHUB_PATH.
func Paths(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// Command is a command in a step's output: ::error file=a.py,line=3::message.
type Command struct {
	Name       string            // in lower case
	Properties map[string]string // by lower-case name
	Data       string
}

var (
	unescapeData     = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")
	unescapeProperty = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
	unescapeOld      = strings.NewReplacer("%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%25", "%")
)

// ParseCommand parses a command in the current form, at the start of the line, or in the old form ##[error]message, anywhere in it.
func ParseCommand(line string) (c Command, ok bool) {
	if head, found := strings.CutPrefix(strings.TrimLeft(line, " \t"), "::"); found {
		if info, data, closed := strings.Cut(head, "::"); closed {
			c = newCommand(info, ",", unescapeProperty)
			c.Data = unescapeData.Replace(data)
			return c, true
		}
	}
	if _, head, found := strings.Cut(line, "##["); found {
		if info, data, closed := strings.Cut(head, "]"); closed {
			c = newCommand(info, ";", unescapeOld)
			c.Data = unescapeOld.Replace(data)
			return c, true
		}
	}
	return c, false
}

func newCommand(info, between string, unescape *strings.Replacer) Command {
	name, properties, _ := strings.Cut(info, " ")
	c := Command{
		Name:       strings.ToLower(name),
		Properties: map[string]string{},
	}
	for p := range strings.SplitSeq(strings.TrimSpace(properties), between) {
		if key, value, found := strings.Cut(p, "="); found && key != "" && value != "" {
			c.Properties[strings.ToLower(key)] = unescape.Replace(value)
		}
	}
	return c
}
