package runner

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

// call runs the workflow that a job calls, and sets the job's outputs.
func (l *leg) call(ctx context.Context) {
	w, err := l.readCalled(l.node.At("uses"))
	if err != nil {
		l.end(Failure, "%v", err)
		return
	}
	on := w.Top.At("on", "workflow_call")
	inherits := l.node.At("secrets").Text() == "inherit"
	f := &flow{
		run:     l.run,
		w:       w,
		path:    l.state.out.ID + "/",
		caller:  l.out.Grant,
		secrets: l.flow.secrets,
		inherit: l.inherit && inherits,
	}
	if f.inputs, err = l.callInputs(on.At("inputs")); err == nil && !inherits {
		f.secrets, err = l.callSecrets()
	}
	if err == nil {
		err = f.keepTo("")
	}
	if err != nil {
		l.end(Failure, "%v", err)
		return
	}
	l.out.Jobs = f.out
	conclusion := f.jobs(ctx)
	jobs := &expression.Object{}
	for _, j := range w.Jobs {
		s := f.states[j.ID]
		outputs := &expression.Object{}
		for _, k := range slices.Sorted(maps.Keys(s.out.Outputs)) {
			outputs.Add(k, s.out.Outputs[k])
		}
		jobs.Add(j.ID, expression.NewObject("result", s.result, "outputs", outputs))
	}
	for _, p := range on.At("outputs").Pairs() {
		v, err := p.Value.At("value").Value(f.eval(f.contexts("jobs", jobs)))
		if err != nil {
			l.end(Failure, "%v", err)
			return
		}
		l.state.setOutput(p.Key.Text(), expression.Text(v))
	}
	l.end(conclusion, "")
}

// callInputs returns the inputs of a called workflow: the job's values, converted to the declared types, and the defaults.
func (l *leg) callInputs(declared file.Node) (*expression.Object, error) {
	given, err := l.node.At("with").Value(l.flow.eval(l.contexts))
	if err != nil {
		return nil, err
	}
	with, _ := given.(*expression.Object)
	if with == nil {
		with = &expression.Object{}
	}
	inputs := &expression.Object{}
	for _, p := range declared.Pairs() {
		v, there := with.Get(p.Key.Text())
		if !there {
			if v, err = p.Value.At("default").Value(l.flow.eval(l.flow.contexts())); err != nil {
				return nil, err
			}
		}
		typed, ok := inputOf(p.Value.At("type").Text(), v)
		if !ok {
			return nil, l.node.At("with").Problem("the input %s must be a %s, but is %q", p.Key.Text(), p.Value.At("type").Text(), expression.Text(v))
		}
		inputs.Add(p.Key.Text(), typed)
	}
	return inputs, nil
}

// inputOf converts a value to the type of an input; null becomes the empty value of that type.
func inputOf(kind string, v expression.Value) (expression.Value, bool) {
	switch kind {
	case "boolean":
		switch text := strings.ToLower(expression.Text(v)); {
		case v == nil:
			return false, true
		default:
			return text == "true", text == "true" || text == "false"
		}
	case "number":
		if v == nil {
			return 0.0, true
		}
		f, err := strconv.ParseFloat(expression.Text(v), 64)
		return f, err == nil
	}
	return expression.Text(v), true
}

// callSecrets returns the secrets that a job passes explicitly to the workflow that it calls. The workflow gets no others.
func (l *leg) callSecrets() (map[string]string, error) {
	secrets := map[string]string{}
	if err := l.askToken(); err != nil {
		return nil, err
	}
	contexts := l.flow.contexts("needs", l.needs, "strategy", l.strategy, "matrix", l.matrix, "secrets", l.secretObject(""))
	for _, p := range l.node.At("secrets").Pairs() {
		v, err := p.Value.Value(l.flow.eval(contexts))
		if err != nil {
			return nil, err
		}
		if text := expression.Text(v); text != "" {
			secrets[p.Key.Text()] = text
		}
	}
	return secrets, nil
}
