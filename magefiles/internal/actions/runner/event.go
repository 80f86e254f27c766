package runner

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/dispatch"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Event is what starts a run.
type Event struct {
	Name    string // push, pull_request, workflow_dispatch and so on
	Ref     string // refs/heads/main
	SHA     string // the commit, 40 digits or 64
	Actor   string
	Fork    bool               // of a pull request from a fork: no secret, and a token that reads
	Payload *expression.Object // github.event; nil is an empty one
	Inputs  map[string]string  // of workflow_dispatch
	Run     int64              // its id on GitHub; 0 is the number of the run here
	Attempt int                // 0 is the first one
}

// notRun are events of which there is nothing here to begin with.
var notRun = map[string]string{
	"workflow_run":  "it starts after another run, of which there is none here",
	"release":       "it starts by a release on GitHub, of which there is none here",
	"workflow_call": "it starts by a job of another file: run that one",
}

// admit holds an event against what a file starts for, and gives the inputs of a dispatch.
func (e *Event) admit(w *file.Workflow) (*expression.Object, error) {
	i := slices.IndexFunc(w.Events, func(of file.Event) bool { return of.Name == e.Name })
	if i < 0 {
		var names []string
		for _, of := range w.Events {
			names = append(names, of.Name)
		}
		next := "name one of these with -event"
		if len(names) == 1 && notRun[names[0]] != "" {
			next = "it is not run here by itself: " + notRun[names[0]]
		}
		return nil, operr.NewUsage(next, "%s does not start for %s: it starts for %s", w.File, e.Name, strings.Join(names, ", "))
	}
	if why, refused := notRun[e.Name]; refused {
		return nil, &file.Problem{
			File: w.File,
			Line: w.Events[i].Line,
			What: fmt.Sprintf("the event %s is not run here: %s", e.Name, why),

			Elsewhere: true,
		}
	}
	if e.Payload == nil {
		e.Payload = &expression.Object{}
	}
	if e.Name != "workflow_dispatch" {
		if len(e.Inputs) > 0 {
			return nil, operr.NewUsage("inputs are given to workflow_dispatch alone", "an event %s has no inputs", e.Name)
		}
		return &expression.Object{}, nil
	}
	inputs, texts, err := dispatch.Inputs(w, e.Inputs)
	e.Payload.Set("inputs", texts)
	return inputs, err
}

// refName is the ref without what says its type, which is branch or tag.
func (e *Event) refName() (name, kind string) {
	if tag, is := strings.CutPrefix(e.Ref, "refs/tags/"); is {
		return tag, "tag"
	}
	return strings.TrimPrefix(strings.TrimPrefix(e.Ref, "refs/heads/"), "refs/"), "branch"
}

// context is `github` as far as it is the same for all jobs of a run.
func (e *Event) context(c Config, w *file.Workflow, number int) *expression.Object {
	name, kind := e.refName()
	repository, api := c.Repository, cmp.Or(c.API, "https://api.github.com")
	owner, _, _ := strings.Cut(repository, "/")
	title := w.Top.At("name").Text()
	if title == "" {
		title = w.File
	}
	pull, _ := e.Payload.Get("pull_request")
	branch := func(side string) string {
		of, _ := pull.(*expression.Object)
		if of == nil {
			return ""
		}
		v, _ := of.Get(side)
		if of, _ = v.(*expression.Object); of == nil {
			return ""
		}
		v, _ = of.Get("ref")
		return expression.Text(v)
	}
	return expression.NewObject(
		"actor", e.Actor,
		"triggering_actor", e.Actor,
		"api_url", api,
		"base_ref", branch("base"),
		"event", e.Payload,
		"event_name", e.Name,
		"graphql_url", api+"/graphql",
		"head_ref", branch("head"),
		"ref", e.Ref,
		"ref_name", name,
		"ref_protected", false,
		"ref_type", kind,
		"repository", repository,
		"repository_owner", owner,
		"repositoryUrl", "git://github.com/"+repository+".git",
		"retention_days", "90",
		"run_attempt", strconv.Itoa(max(e.Attempt, 1)),
		"run_id", strconv.FormatInt(cmp.Or(e.Run, int64(number)), 10),
		"run_number", strconv.Itoa(number),
		"secret_source", "Actions",
		"server_url", "https://github.com",
		"sha", e.SHA,
		"workflow", title,
		"workflow_ref", repository+"/"+w.File+"@"+e.Ref,
		"workflow_sha", e.SHA,
	)
}
