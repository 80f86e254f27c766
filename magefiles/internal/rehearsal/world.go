package rehearsal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
)

// WorldConfig says what an embedded world begins with.
type WorldConfig struct {
	Dir        string
	Runner     command.Runner // for git, and for the CI's jobs
	Environ    []string       // of this machine, which the jobs inherit in part
	Source     *gitrepo.Repo  // its HEAD is the remote's branch, and its tags are the remote's
	Branch     string
	Channel    string       // its name
	Repository string       // "owner/name"
	CI         bool         // whether a workflow publishes when a tag is pushed
	Program    string       // the compiled magefile: what `mage` is to the CI
	Pycache    string       // folder for the byte code of the jobs, which saves time where it outlasts them; "" is none
	Dice       *faults.Dice // what fails at random; nil: nothing does

	// Wrap puts something in front of the servers; nil puts nothing.
	Wrap   func(http.Handler) http.Handler
	Reruns int // how often somebody runs a job again that failed
}

// World is the embedded outside of a release: a bare git repository for a remote, prefix.dev with the token service of a
// CI, GitHub's API, and that CI, which runs `mage publish` in a fresh clone of every tag that is pushed. Its parts speak the
// real protocols on loopback, and to a release nothing differs but the addresses.
type World struct {
	WorldConfig
	Remote string // folder of the bare repository
	Prefix *localprefix.Server
	API    string // URL of GitHub's API
	Hub    *server.Server

	token string
	http  *http.Server
	end   context.CancelFunc
	jobs  sync.WaitGroup

	mu  sync.Mutex
	ran []Job
}

// Job is one run of the embedded CI.
type Job struct {
	Tag     string `json:"tag"`
	Attempt int    `json:"attempt"`
	OK      bool   `json:"ok"`
	Log     string `json:"-"` // the end of what it said
}

// NewWorld starts everything. Its folder must be empty or not there.
func NewWorld(ctx context.Context, c WorldConfig) (*World, error) {
	w := &World{WorldConfig: c, Remote: filepath.Join(c.Dir, "remote.git"), token: "ghs_" + rand.Text()}
	if err := w.makeRemote(ctx); err != nil {
		return nil, err
	}
	if err := w.serve(); err != nil {
		w.Close()
		return nil, err
	}
	if c.CI {
		inside, cancel := context.WithCancel(context.WithoutCancel(ctx))
		w.end = cancel
		seen := w.tags()
		w.jobs.Go(func() { w.ci(inside, seen) })
	}
	return w, nil
}

// makeRemote makes the bare repository, with the tags that the commit contains: a later one would be of a release that is yet
// to be made. It takes whatever is pushed, also from a shallow clone.
func (w *World) makeRemote(ctx context.Context) error {
	head, err := w.Source.Head(ctx)
	if err != nil {
		return err
	}
	tags, err := w.Source.MergedTags(ctx)
	if err != nil {
		return err
	}
	push := []string{"-C", w.Source.Top, "push", "--quiet", w.Remote, head.Commit + ":refs/heads/" + w.Branch}
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		push = append(push, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch=" + w.Branch, w.Remote},
		{"-C", w.Remote, "config", "receive.shallowUpdate", "true"},
		push,
	} {
		if _, err := command.Output(ctx, w.Runner, command.Cmd{Name: "git", Args: args, Dir: w.Source.Top}); err != nil {
			return fmt.Errorf("making the embedded remote: %w", err)
		}
	}
	return w.gitFaults()
}

// serve starts prefix.dev and GitHub.
func (w *World) serve() (err error) {
	wrap := func(h http.Handler) http.Handler {
		if w.Wrap != nil {
			h = w.Wrap(h)
		}
		if w.Dice != nil {
			h = w.Dice.Handler(h)
		}
		return h
	}
	w.Prefix, err = localprefix.Start(localprefix.Options{
		Dir: filepath.Join(w.Dir, "channels"), Wrap: wrap,
		Trusted: []localprefix.Trusted{{Channel: w.Channel, Repository: w.Repository, Workflow: "release.yml", Ref: "refs/tags/v0"}},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.API = "http://" + listener.Addr().String()
	w.Hub, err = server.New(server.Options{
		Repository: w.Repository, DefaultBranch: w.Branch, Token: w.token, URL: w.API, Tag: w.tag, Dir: filepath.Join(w.Dir, "github"),
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	w.http = &http.Server{Handler: wrap(w.Hub), ReadHeaderTimeout: time.Minute}
	go func() { _ = w.http.Serve(listener) }() // until Close
	return nil
}

// tag finds a tag in the remote.
func (w *World) tag(name string) (server.Tag, bool) {
	out, err := command.Output(context.Background(), w.Runner, command.Cmd{
		Name: "git", Args: []string{"for-each-ref", "--format=%(objectname) %(*objectname)", "refs/tags/" + name}, Dir: w.Remote,
	})
	object, commit, _ := strings.Cut(out, " ")
	if commit == "" {
		commit = object
	}
	return server.Tag{Object: object, Commit: commit}, err == nil && object != ""
}

// Environ is the environment of a person's machine that is in this world: the given one with other addresses, and with the
// credentials that count here.
func (w *World) Environ(of []string) []string {
	env := command.Unset(of, "PREFIX_CHANNEL", "RATTLER_AUTH_FILE", "GITHUB_ACTIONS", "GITHUB_REF_TYPE", "GITHUB_REF_NAME", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITLAB_CI")
	return command.Setenv(env,
		"PREFIX_SERVER_URL="+w.Prefix.URL, "PREFIX_API_KEY="+w.Prefix.Key,
		"GITHUB_API_URL="+w.API, "GITHUB_REPOSITORY="+w.Repository, "GITHUB_TOKEN="+w.token,
	)
}

// jobEnviron is the environment of a job of the CI for a tag: it has no key, and the token service trusts it.
func (w *World) jobEnviron(tag string) []string {
	return command.Setenv(command.Unset(w.Environ(w.WorldConfig.Environ), "PREFIX_API_KEY", "GITHUB_TOKEN"), append(w.Prefix.Environ(), "CI=true", "GITHUB_REF_TYPE=tag", "GITHUB_REF_NAME="+tag, "PYTHONPYCACHEPREFIX="+w.Pycache)...)
}

// Jobs are the CI's runs so far.
func (w *World) Jobs() []Job {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Job(nil), w.ran...)
}

// Secrets are what must not be seen anywhere.
func (w *World) Secrets() []string { return []string{w.token, w.Prefix.Key} }

// Close ends the CI's jobs and the servers. A nil World may be closed.
func (w *World) Close() {
	if w == nil {
		return
	}
	if w.end != nil {
		w.end()
		w.jobs.Wait()
	}
	if w.http != nil {
		_ = w.http.Close() // the folder is swept
	}
	_ = w.Prefix.Close()
}

// gitFaults lets pushes fail before or after they are taken, as the dice fall: by hooks, as git has no other place for it.
func (w *World) gitFaults() error {
	if w.Dice == nil {
		return nil
	}
	dir := filepath.Join(w.Remote, "faults")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for i := range 30 {
		way, fails := w.Dice.Roll("git push", 2)
		word := "none"
		if fails {
			word = []string{"before", "after"}[way]
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d", i)), []byte(word), 0o644); err != nil {
			return err
		}
	}
	for name, script := range map[string]string{
		"pre-receive": `for f in faults/[0-9]*; do
	mv "$f" faults/now 2>/dev/null || exit 0
	if [ "$(cat faults/now)" = before ]; then kill -9 $PPID; fi
	exit 0
done
`,
		"post-receive": `if [ "$(cat faults/now)" = after ]; then kill -9 $PPID; fi
`,
	} {
		if err := os.WriteFile(filepath.Join(w.Remote, "hooks", name), []byte("#!/bin/sh\n# An injected fault.\n"+script), 0o755); err != nil {
			return err
		}
	}
	return nil
}
