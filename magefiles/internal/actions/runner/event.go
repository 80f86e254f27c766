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

// Event is the event that starts a run.
type Event struct {
	Name    string // push, pull_request, workflow_dispatch and so on
	Ref     string // refs/heads/main
	SHA     string // the commit, 40 digits or 64
	Actor   string
	Fork    bool               // a pull request from a fork: no secrets, and a read-only token
	Payload *expression.Object // github.event; nil means empty
	Inputs  map[string]string  // inputs of workflow_dispatch
	Run     int64              // the run ID on GitHub; 0 means the run number is used
	Attempt int                // 0 means the first attempt
}

// notRun lists the events that cannot start a run here.
var notRun = map[string]string{
	"workflow_run":  "the file starts only after a run of another workflow, and no other workflow runs here",
	"release":       "the file starts only for a release on GitHub, and no release is made here",
	"workflow_call": "the file starts only if a job of another file calls it: run the other file",
}

// admit checks that the event triggers a file, and returns the inputs of a dispatch.
func (e *Event) admit(w *file.Workflow) (*expression.Object, error) {
	i := slices.IndexFunc(w.Events, func(of file.Event) bool { return of.Name == e.Name })
	if i < 0 {
		var names []string
		for _, of := range w.Events {
			names = append(names, of.Name)
		}
		next := "pass one of these events with -event"
		if len(names) == 1 && notRun[names[0]] != "" {
			next = "this command cannot run the file by itself: " + notRun[names[0]]
		}
		return nil, operr.NewUsage(next, "%s does not start for %s, but for %s", w.File, e.Name, strings.Join(names, ", "))
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
			return nil, operr.NewUsage("remove -inputs, or pass -event=workflow_dispatch", "the event %s has no inputs", e.Name)
		}
		return &expression.Object{}, nil
	}
	inputs, texts, err := dispatch.Inputs(w, e.Inputs)
	e.Payload.Set("inputs", texts)
	return inputs, err
}

// refName returns the short name of a ref, and its type: branch or tag.
func (e *Event) refName() (name, kind string) {
	if tag, is := strings.CutPrefix(e.Ref, "refs/tags/"); is {
		return tag, "tag"
	}
	return strings.TrimPrefix(strings.TrimPrefix(e.Ref, "refs/heads/"), "refs/"), "branch"
}

// context returns the part of the github context that all jobs of a run share.
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
