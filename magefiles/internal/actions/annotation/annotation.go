// Package annotation finds tool messages about places in files, and formats them as workflow commands, which GitHub shows next to the line.
//
//	annotation.go  an annotation, and its workflow command
//	find.go        parses the output of most tools
//	pytest.go      parses pytest failures
//	gotest.go      parses go test failures
//	lookup.go      resolves paths in tool output to files in the checkout
package annotation

import (
	"fmt"
	"strings"
)

// Limit is the number of annotations of one kind that GitHub shows of one step (docs.github.com, "Workflow commands for GitHub Actions").
const Limit = 10

// Annotation is a message of a tool about a place.
type Annotation struct {
	File    string // relative to the checkout, with slashes; "" if there is no file
	Line    int    // from 1; 0 if unknown, as is Column
	Column  int
	Title   string // "" if the message has no title
	Message string // may have several lines
	Warning bool   // a warning, not an error
}

// Command returns the workflow command of an annotation, without a newline at its end.
func (a Annotation) Command() string {
	var properties []string
	add := func(name, value string) {
		if value != "" && value != "0" {
			properties = append(properties, name+"="+escapeProperty(value))
		}
	}
	add("file", a.File)
	add("line", fmt.Sprint(a.Line))
	add("col", fmt.Sprint(a.Column))
	add("title", a.Title)
	name := "error"
	if a.Warning {
		name = "warning"
	}
	return strings.TrimRight("::"+name+" "+strings.Join(properties, ","), " ") + "::" + EscapeData(a.Message)
}

// EscapeData encodes the text after a command as the runner does (actions/toolkit, command.ts).
func EscapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// escapeProperty encodes a value of a command's properties.
func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(EscapeData(s))
}
