package trace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

const undoKey = "pfx_the_key_of_a_private_channel"

// undoing describes an unfinished release v1.0 of package a, whose channel may be private and may already have the package.
type undoing struct {
	by       string
	journal  []workflow.Event // nil for a clone without a journal
	key      prefixdev.Token  // token that reads the channel; "" for none
	public   bool
	there    bool // the channel has package a 1.0
	unasked  bool // the CI cannot be queried
	statuses []string
}

func (u undoing) trace(t *testing.T) *Trace {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":        "[workspace]\nname = \"w\"\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n",
		"a/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1.0\"\n", "a/pixi.toml": "[package]\nname = \"a\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	private := []string{"ours"}
	if u.public {
		private = nil
	}
	world, err := localprefix.Start(localprefix.Options{Dir: filepath.Join(t.TempDir(), "channels"), Key: undoKey, Private: private})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, world.Close()) })
	open := func(token prefixdev.Token) *prefixdev.Channel {
		client, err := prefixdev.New(prefixdev.Options{Server: world.URL, Token: token, Attempts: 1})
		require.NoError(t, err)
		c, err := client.Channel("ours")
		require.NoError(t, err)
		return c
	}
	if u.there {
		up, err := channel.NewUpload(condapkgtest.Package{Name: "a"}.Write(t, t.TempDir()))
		require.NoError(t, err)
		_, err = open(undoKey).Put(t.Context(), up)
		require.NoError(t, err)
	}
	c := open("")
	c.Use(prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) {
		return prefixdev.Credential{Token: u.key, Source: "a file"}, nil
	}))
	if u.key == "" {
		c.Use(prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone }))
	}
	r := &Trace{
		Root:    root,
		Channel: func(*workspace.Workspace) (publish.Destination, error) { return c, nil },
		Plan: &plan.Plan{
			Title:    "v1.0",
			Tags:     []string{"v1.0"},
			Packages: []plan.Package{{Name: "a", Version: "1.0"}},
			Channel:  c.URL(),
			Publish:  u.by,
		},
	}
	if u.journal != nil {
		r.Past = &Past{Past: &session.Past[*plan.Plan]{Events: u.journal}}
	}
	if !u.unasked {
		r.Hub.Client = runsOf(t, u.statuses...)
	}
	return r
}

// runsOf returns a GitHub with one run of release.yml per conclusion, oldest first; "" is a run in progress.
func runsOf(t *testing.T, conclusions ...string) *github.Client {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		runs := ""
		for n, c := range conclusions {
			status := "completed"
			if c == "" {
				status = "in_progress"
			}
			if n > 0 {
				runs += ","
			}
			runs += fmt.Sprintf(`{"id":%d,"status":%q,"conclusion":%q,"html_url":"https://hub.example/runs/%d"}`, n+1, status, c, n+1)
		}
		fmt.Fprintf(w, `{"total_count":%d,"workflow_runs":[%s]}`, len(conclusions), runs)
	}))
	t.Cleanup(web.Close)
	client, err := github.New(github.Options{API: web.URL, Repository: "octo/mono", Attempts: 1})
	require.NoError(t, err)
	return client
}

// refused is an upload failure in which the channel rejected every file.
const refused = "refused"

// events returns journal events from pairs of step and event.
func events(of ...string) (events []workflow.Event) {
	events = []workflow.Event{}
	for i := 0; i+1 < len(of); i += 2 {
		event := workflow.Event{Step: of[i], Kind: workflow.Kind(of[i+1])}
		if of[i+1] == refused {
			event.Kind, event.Result = workflow.Failed, []byte(`{"refused":true}`)
		}
		events = append(events, event)
	}
	return events
}

// If something was or may have been uploaded, an invisible channel is an error, with or without a credential: a private channel is also invisible to
// accounts that are not members.
func TestUndoWithAnInvisibleChannel(t *testing.T) {
	const (
		here, ci  = settings.PublishHere, settings.PublishCI
		strangers = "pfx_of_another_account"
		nobody    = "the channel is not visible without a credential"
		neither   = "the channel is not visible, without a credential or with a file"
	)
	pushed := []string{StepPush, "started", StepPush, "done"}
	and := func(more ...string) []workflow.Event {
		return events(append(append([]string{}, pushed...), more...)...)
	}
	for name, c := range map[string]struct {
		undoing
		stops  string   // the error's text; "" if there is no error
		says   []string // other texts in the error
		unseen bool     // the result says that the channel was not seen
		absent bool
		has    int // number of files of the release on the channel
	}{
		"here, sent, and seen":                                 {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "done"), key: undoKey, there: true}, has: 1},
		"here, sent, and seen by all":                          {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "done"), public: true, there: true}, has: 1},
		"here, sent, and there is no credential":               {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "done"), there: true}, stops: nobody, says: []string{"was begun", "no credential"}},
		"here, found, and there is no credential":              {undoing: undoing{by: here, journal: and(StepPublish, "found"), there: true}, stops: nobody},
		"here, begun, and there is no credential":              {undoing: undoing{by: here, journal: and(StepPublish, "started"), there: true}, stops: nobody},
		"here, failed, and there is no credential":             {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "failed"), there: true}, stops: nobody},
		"here, not begun, and there is no credential":          {undoing: undoing{by: here, journal: and()}, unseen: true},
		"here, by another clone, and there is no credential":   {undoing: undoing{by: here, there: true}, stops: nobody, says: []string{"another clone may have uploaded"}},
		"here, sent, and the credential is a stranger's":       {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "done"), key: strangers, there: true}, stops: neither, says: []string{"has succeeded"}},
		"here, killed, and the credential is a stranger's":     {undoing: undoing{by: here, journal: and(StepPublish, "started"), key: strangers, there: true}, stops: neither, says: []string{"and then stopped"}},
		"here, killed after a failure, a stranger's":           {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "failed", StepPublish, "started"), key: strangers, there: true}, stops: neither},
		"here, refused, and there is no channel":               {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, refused), key: undoKey}, absent: true},
		"here, refused again, and there is no channel":         {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, refused, StepPublish, "failed", StepPublish, "started", StepPublish, refused), key: undoKey}, absent: true},
		"here, failed in the middle, a stranger's":             {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "failed"), key: strangers, there: true}, stops: neither, says: []string{"was begun, but failed"}},
		"here, failed, and then refused, a stranger's":         {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "failed", StepPublish, "started", StepPublish, refused), key: strangers, there: true}, stops: neither},
		"here, killed, and then refused, a stranger's":         {undoing: undoing{by: here, journal: and(StepPublish, "started", StepPublish, "started", StepPublish, refused), key: strangers, there: true}, stops: neither},
		"here, not begun, and there is no channel":             {undoing: undoing{by: here, journal: and(), key: undoKey}, absent: true},
		"CI, not pushed, and there is no credential":           {undoing: undoing{by: ci, journal: events(StepPush, "failed")}, unseen: true},
		"CI, without a run, and there is no credential":        {undoing: undoing{by: ci, journal: and()}, unseen: true},
		"CI, with a run, and there is no credential":           {undoing: undoing{by: ci, journal: and(), statuses: []string{"failure"}, there: true}, stops: nobody, says: []string{"runs/1 may have uploaded"}},
		"CI, with a run, from another clone":                   {undoing: undoing{by: ci, statuses: []string{"success"}, there: true}, stops: nobody, says: []string{"runs/1 may have uploaded"}},
		"CI that is not asked, and there is no credential":     {undoing: undoing{by: ci, journal: and(), unasked: true, there: true}, stops: nobody, says: []string{"a CI may have uploaded"}},
		"CI, went well, and the credential is a stranger's":    {undoing: undoing{by: ci, journal: and(StepPublish, "started"), key: strangers, statuses: []string{"success"}, there: true}, stops: neither, says: []string{"runs/1 has uploaded"}},
		"CI, went well once, and is run again, a stranger's":   {undoing: undoing{by: ci, key: strangers, statuses: []string{"success", ""}, there: true}, stops: neither, says: []string{"runs/1 has uploaded"}},
		"CI, seen through, and the credential is a stranger's": {undoing: undoing{by: ci, journal: and(StepPublish, "started", StepPublish, "found"), key: strangers, unasked: true, there: true}, stops: neither},
		"CI, failed, and there is no channel":                  {undoing: undoing{by: ci, journal: and(StepPublish, "started"), key: undoKey, statuses: []string{"failure"}}, absent: true},
		"CI that is not asked, and there is no channel":        {undoing: undoing{by: ci, journal: and(StepPublish, "started"), key: undoKey, unasked: true}, absent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.trace(t)
			h, err := r.Look(t.Context(), "0123456789012345678901234567890123456789")
			if c.stops != "" {
				require.ErrorContains(t, err, c.stops)
				require.Equal(t, operr.Stopped, operr.ExitStatus(err))
				require.Contains(t, operr.NextOf(err), "PREFIX_API_KEY")
				for _, says := range c.says {
					require.ErrorContains(t, err, says)
				}
				return
			}
			require.NoError(t, err)
			require.Len(t, r.ListUploaded(h), c.has)
			require.Equal(t, c.unseen, h.Unseen != nil)
			require.Equal(t, c.absent, !h.Exists && h.Unseen == nil)
		})
	}
}

// If the CI cannot be queried, it is unknown whether it has uploaded something, so nothing is undone.
func TestUndoWithAnUnreachableCI(t *testing.T) {
	down := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(down.Close)
	for name, key := range map[string]prefixdev.Token{"no credential": "", "a stranger's": "pfx_of_another_account"} {
		u := undoing{by: settings.PublishCI, key: key, there: true, unasked: true}
		r := u.trace(t)
		client, err := github.New(github.Options{API: down.URL, Repository: "octo/mono", Attempts: 1})
		require.NoError(t, err)
		r.Hub.Client = client
		_, err = r.Look(t.Context(), "0123456789012345678901234567890123456789")
		require.ErrorContains(t, err, "octo/mono", name)
	}
}

// Files of packages that the release does not release belong to earlier releases.
func TestUploadedCountsOnlyReleasedPackages(t *testing.T) {
	r := undoing{by: settings.PublishHere, key: undoKey, there: true}.trace(t)
	h, err := r.Look(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, r.ListUploaded(h), 1)
	r.Plan.Tags = []string{"b/v1.0"}
	require.Empty(t, r.ListUploaded(h))
	r.Plan.Along = []plan.Package{{Name: "a", Version: "1.0"}}
	require.Len(t, r.ListUploaded(h), 1, "it is published along")
	r.Plan.Packages[0].Version = "1.1"
	require.Empty(t, r.ListUploaded(h))
	r.Plan.Channel = "https://prefix.dev/another"
	_, err = r.Look(t.Context(), "")
	require.ErrorContains(t, err, "it is not known which packages were uploaded")
	require.False(t, errors.Is(err, channel.ErrNotFound))
}

// A run for another tag at the same commit uploads nothing for this release. A run for its own tag may, and so may a manual run.
func TestRunOfAnotherTagUploadsNothing(t *testing.T) {
	repo, _, git := gitrepotest.Open(t)
	git("tag", "v1.0")
	git("tag", "other/v1.0")
	head := git("rev-parse", "HEAD")
	for ref, runs := range map[string]bool{"v1.0": true, "other/v1.0": false, "main": true} {
		r := undoing{by: settings.PublishCI, unasked: true}.trace(t)
		r.Repo = repo
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"total_count":1,"workflow_runs":[{"id":1,"status":"in_progress","head_branch":%q,"html_url":"https://hub.example/runs/1"}]}`, ref)
		}))
		t.Cleanup(web.Close)
		client, err := github.New(github.Options{API: web.URL, Repository: "octo/mono", Attempts: 1})
		require.NoError(t, err)
		r.Hub.Client = client
		url, err := r.FindRunning(t.Context(), head)
		require.NoError(t, err)
		require.Equal(t, map[bool]string{true: "https://hub.example/runs/1"}[runs], url, ref)
	}
}
