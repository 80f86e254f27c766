// Package dispatch reads the inputs of a workflow_dispatch as GitHub does, using the types and defaults that the file declares.
package dispatch

import (
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Inputs checks the given inputs against the declaration in the file. It returns them in two forms: for the context `inputs`, with real booleans,
// and for github.event.inputs, as strings. Names are case-insensitive. Errors are usage errors, at the line of the input in the file.
func Inputs(w *file.Workflow, given map[string]string) (inputs, texts *expression.Object, err error) {
	declared := w.Top.At("on", "workflow_dispatch", "inputs")
	refuse := func(at file.Node, next, format string, args ...any) error {
		if !at.Is() {
			at = w.Top.At("on")
		}
		return operr.NewUsage(next, "%w", at.Problem(format, args...))
	}
	inputs, texts = &expression.Object{}, &expression.Object{}
	left := map[string]string{}
	for k, v := range given {
		left[strings.ToLower(k)] = v
	}
	for _, p := range declared.Pairs() {
		name, kind := p.Key.Text(), p.Value.At("type").Text()
		text, there := left[strings.ToLower(name)]
		delete(left, strings.ToLower(name))
		options := p.Value.At("options").Items()
		if !there {
			value, err := p.Value.At("default").Value(expression.Env{})
			if err != nil {
				return nil, nil, err
			}
			text = expression.Text(value)
			switch {
			case text != "":
			case p.Value.At("required").True():
				return nil, nil, refuse(p.Value, "pass a value: -inputs='{\""+name+"\": …}'", "the input %s is required", name)
			case kind == "boolean":
				text = "false"
			case kind == "choice" && len(options) > 0:
				text = options[0].Text()
			}
		}
		var v expression.Value = text
		switch kind {
		case "boolean":
			if text != "true" && text != "false" {
				return nil, nil, refuse(p.Value, "set the input to true or false", "the input %s must be a boolean, but is %q", name, text)
			}
			v = text == "true"
		case "number":
			if _, err := strconv.ParseFloat(text, 64); err != nil && text != "" {
				return nil, nil, refuse(p.Value, "set the input to a number", "the input %s must be a number, but is %q", name, text)
			}
		case "choice":
			if !slices.ContainsFunc(options, func(o file.Node) bool { return o.Text() == text }) {
				return nil, nil, refuse(choices(p.Value), "set the input to one of its options", "the input %s cannot be %q", name, text)
			}
		}
		inputs.Add(name, v)
		texts.Add(name, text)
	}
	for name := range left {
		return nil, nil, refuse(declared, "look up the names of the inputs in the file", "there is no input %q", name)
	}
	return inputs, texts, nil
}

// choices returns the options of an input, or the input itself if it has none.
func choices(input file.Node) file.Node {
	if options := input.At("options"); options.Is() {
		return options
	}
	return input
}
