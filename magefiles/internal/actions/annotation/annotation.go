// Package annotation finds what tools say of places in files, and writes it as workflow commands, which GitHub shows beside the line.
//
//	annotation.go  what is found, and its commands
//	find.go        the lines of tools
//	pytest.go      the failures of pytest
//	gotest.go      the failures of go test
//	lookup.go      which file of the checkout a tool means
package annotation

import (
	"fmt"
	"strings"
)

// Limit is how many annotations of one kind GitHub shows of one step (docs.github.com, "Workflow commands for GitHub Actions").
const Limit = 10

// Annotation is what a tool says of a place.
type Annotation struct {
	File    string // relative to the checkout, with slashes; "" is no file
	Line    int    // from 1; 0 is not known, as below
	Column  int
	Title   string // "" has none
	Message string // may have several lines
	Warning bool   // it is no error
}

// Command is the workflow command of an annotation, without a newline at its end.
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

// EscapeData is the runner's own encoding of what follows a command (actions/toolkit, command.ts).
func EscapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// escapeProperty is that of a command's properties.
func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(EscapeData(s))
}
