package rehearsal

import (
	"cmp"
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

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/github/server/bare"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/httpserver"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/earlier"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/gitsettings"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
)

// WorldConfig says what an embedded world begins with.
type WorldConfig struct {
	Dir        string
	Runner     command.Runner // for git, and for the CI's jobs
	Environ    []string       // of this machine, which the jobs inherit in part
	Source     *gitrepo.Repo  // the repository that the remote begins as a copy of
	Commit     string         // that the remote's branch is at; "" is the source's HEAD
	Branch     string
	Tags       []string          // of the source that the remote has; nil is those that its HEAD contains
	Pending    []string          // those of them that the CI has still to publish
	Past       []earlier.Release // releases that are on the channel and on GitHub when it begins
	Channel    string            // its name
	Private    bool              // nobody sees the channel without a credential
	Unnamed    bool              // no manifest says that name: PREFIX_CHANNEL does
	Repository string            // "owner/name"
	CI         bool              // whether a workflow publishes when a tag is pushed
	Workflow   string            // the file that the channel trusts; "" is GitHub's release.yml
	Program    string            // the compiled magefile: what `mage` is to the CI
	Pycache    string            // folder for the byte code of the jobs, which saves time where it outlasts them; "" is none
	Dice       *faults.Dice      // what fails at random; nil: nothing does

	// Wrap puts something in front of the servers; nil puts nothing.
	Wrap   func(http.Handler) http.Handler
	Reruns int // how often somebody runs a job again that failed

	Variables map[string]string // of the repository, as workflow files ask for them
	StandIns  map[string]string // for actions, as `[tool.release.actions]` has them
	Secrets   map[string]string // what secrets of the repository are worth, by their names; "" is one that is not set
	JobsOpen  bool              // the setting "Allow GitHub Actions to create and approve pull requests"

	Reviewers []string // who have to approve the job that uploads, by Approved; none: nobody has to
}

// ReaderToken is a token of the world's GitHub that may read, and make no release.
const ReaderToken = "ghp_of_who_may_read"

// World is the embedded outside of a release: a bare git repository for a remote, prefix.dev with the token service of a
// CI, GitHub's API, and that CI, which runs release.yml as a tag that is pushed has it. Its parts speak the
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
	begun sync.WaitGroup                                    // runs of tags
	begin func(tag, event string, inputs map[string]string) // a run of the CI, beside others; nil where there is none
	files *workflows.CI                                     // runs workflow files

	Approved chan struct{} // a value lets the job go on that waits for its reviewers, or the next one that comes to it

	mu       sync.Mutex
	ran      []Job
	granted  map[string]map[string]string                                   // what jobs may, by their tokens
	approver func(ctx context.Context, run int64, environment string) error // of environments beside that of the release; nil: nobody has to
}

// Job is one run of the embedded CI.
type Job struct {
	Tag     string            `json:"tag"`              // "" where a branch started it
	Branch  string            `json:"branch,omitempty"` // whose push did
	Attempt int               `json:"attempt"`
	OK      bool              `json:"ok"`
	Log     string            `json:"-"`             // the end of what it said
	Run     *workflows.Report `json:"run,omitempty"` // of a workflow file; nil where there is none
}

// NewWorld starts everything. Its folder must be empty or not there.
func NewWorld(ctx context.Context, c WorldConfig) (*World, error) {
	w := &World{WorldConfig: c, Remote: filepath.Join(c.Dir, "remote.git"), token: "ghp_" + rand.Text(), Approved: make(chan struct{}, 1)}
	if err := w.makeRemote(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(w.fillChannel(), w.serve(), w.fillHub()); err != nil {
		w.Close()
		return nil, err
	}
	w.files = w.runners()
	if c.CI {
		inside, cancel := context.WithCancel(context.WithoutCancel(ctx))
		w.end = cancel
		w.begin = func(tag, event string, inputs map[string]string) {
			w.begun.Add(1)
			w.jobs.Go(func() {
				defer w.begun.Done()
				w.workflow(inside, workflows.Event{Name: event, Tag: tag, Inputs: inputs})
			})
		}
		seen := w.tags()
		for _, tag := range c.Pending {
			delete(seen, tag)
		}
		w.jobs.Go(func() { w.ci(inside, seen) })
	}
	return w, nil
}

// makeRemote makes the bare repository, of the source's own format. It takes whatever is pushed, also from a shallow clone,
// whatever a person's git is told of remotes and their hooks.
func (w *World) makeRemote(ctx context.Context) error {
	commit, tags, err := w.beginning(ctx)
	if err != nil {
		return err
	}
	format, err := w.gitIn(ctx, w.Source.Top, "rev-parse", "--show-object-format")
	if err != nil {
		return err
	}
	// Where git knows several forms of a repository, the CI here reads tags in the one that keeps each in a file.
	files := command.Setenv(w.quietGit(), "GIT_DEFAULT_REF_FORMAT=files")
	_, err = gitsettings.Ask(ctx, w.Runner, files, w.Dir, "init", "--quiet", "--bare", "--template=", "--object-format="+format, "--initial-branch="+w.Branch, w.Remote)
	err = errors.Join(err, gitclone.Lend(w.Source, w.Remote))
	for _, kv := range [][2]string{
		{"receive.shallowUpdate", "true"}, {"core.hooksPath", filepath.Join(w.Remote, "hooks")}, {"gc.auto", "0"}, {"receive.autogc", "false"},
	} {
		if err == nil {
			_, err = w.atRemote(ctx, "config", kv[0], kv[1])
		}
	}
	refs := []string{commit + ":refs/heads/" + w.Branch}
	for _, tag := range tags {
		refs = append(refs, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	at := len(refs)
	if _, shallow := os.Lstat(filepath.Join(w.Source.Common, "shallow")); shallow == nil {
		at = 1 // git does not take several of one commit at once
	}
	for some := range slices.Chunk(refs, at) {
		if err == nil {
			_, err = gitsettings.AsOwner(ctx, w.Runner, command.Unset(w.WorldConfig.Environ, gitsettings.AllowProtocol), w.Source.Top, w.filling(some)...)
		}
	}
	if err != nil {
		return fmt.Errorf("making the embedded remote: %w", err)
	}
	if err := w.Bare().CountTags(""); err != nil {
		return err
	}
	return w.gitFaults()
}

// filling is the push that fills the remote: whatever a person's git is told of pushes, exactly this is sent, and only there.
func (w *World) filling(refs []string) []string {
	args := []string{"-c", "core.hooksPath=" + os.DevNull, "-c", "push.pushOption=", "-c", "protocol.file.allow=always"}
	if !strings.Contains(w.Remote, "=") { // of two rules for an address git takes the longer one
		args = append(args, "-c", "url."+w.Remote+".insteadOf="+w.Remote, "-c", "url."+w.Remote+".pushInsteadOf="+w.Remote)
	}
	args = append(args, "push", "--quiet", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
		"--receive-pack=env GIT_CONFIG_GLOBAL="+os.DevNull+" GIT_CONFIG_NOSYSTEM=1 git receive-pack", "--", w.Remote)
	return append(args, refs...)
}

// beginning is what the remote has when it begins. A tag that the source's commit does not contain would be of a release that
// is yet to be made.
func (w *World) beginning(ctx context.Context) (commit string, tags []string, err error) {
	head, err := w.Source.Head(ctx)
	if err != nil {
		return "", nil, err
	}
	if tags = w.Tags; tags == nil {
		merged, err := w.Source.MergedTags(ctx)
		if err != nil {
			return "", nil, err
		}
		tags = slices.Sorted(maps.Keys(merged))
	}
	return cmp.Or(w.Commit, head.Commit), tags, nil
}

// gitIn runs git in a person's repository, as the person's git is configured.
func (w *World) gitIn(ctx context.Context, dir string, args ...string) (string, error) {
	return gitsettings.Ask(ctx, w.Runner, w.WorldConfig.Environ, dir, args...)
}

// atRemote runs git on the remote, and no hook there.
func (w *World) atRemote(ctx context.Context, args ...string) (string, error) {
	return gitsettings.Ask(ctx, w.Runner, w.quietGit(), w.Dir, append([]string{"--git-dir=" + w.Remote, "-c", "core.hooksPath=" + os.DevNull}, args...)...)
}

// quietGit is the environment of a git that no person has configured, as on a server or on a runner of a CI.
func (w *World) quietGit() []string {
	return command.Setenv(gitsettings.WithoutConfig(w.WorldConfig.Environ), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
}

// fillChannel puts the artifacts of earlier releases where the channel keeps its files.
func (w *World) fillChannel() error {
	for _, m := range w.Past {
		for _, file := range m.Files {
			rec, err := condapkg.Identify(file)
			if err != nil {
				return err
			}
			dir := filepath.Join(w.Dir, channelsDir, w.Channel, rec.Subdir)
			data, err := os.ReadFile(file)
			if err := errors.Join(err, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, rec.FileName()), data, 0o644)); err != nil {
				return err
			}
		}
	}
	return nil
}

// fillHub makes the GitHub releases of earlier releases.
func (w *World) fillHub() error {
	if w.Hub == nil {
		return nil // serve says why
	}
	for _, m := range w.Past {
		files := map[string][]byte{}
		for _, file := range m.Files {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			files[filepath.Base(file)] = data
		}
		if err := w.Hub.AddRelease(m.Tag, files); err != nil {
			return err
		}
	}
	return nil
}

// channelsDir is the folder of the embedded prefix.dev's channels.
const channelsDir = "channels"

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
	var private []string
	if w.Private {
		private = []string{w.Channel}
	}
	w.Prefix, err = localprefix.Start(localprefix.Options{
		Dir:     filepath.Join(w.Dir, channelsDir),
		Wrap:    wrap,
		Private: private,
		Trusted: []localprefix.Trusted{{Channel: w.Channel, Repository: w.Repository, Workflow: cmp.Or(w.Workflow, forge.Workflow), Ref: "refs/tags/v0", Environment: forge.Environment}},
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
		Repository:    w.Repository,
		DefaultBranch: w.Branch,
		Token:         w.token,
		Reader:        ReaderToken,
		URL:           w.API,
		Tag:           w.tag,
		Dispatch:      w.dispatch,
		Branch:        w.Bare().Branch,
		Land:          w.Bare().Land,
		JobsOpen:      w.JobsOpen,
		Dir:           filepath.Join(w.Dir, "github"),
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	w.http = httpserver.New(wrap(w.Hub), httpserver.Hosts{})
	go func() { _ = w.http.Serve(listener) }() // until Close
	return nil
}

// Bare is the remote, as its pull requests and its rules have it.
func (w *World) Bare() bare.Remote {
	return bare.Remote{Runner: w.Runner, Environ: w.quietGit(), Dir: w.Remote}
}

// tag finds a tag in the remote.
func (w *World) tag(name string) (server.Tag, bool) {
	out, err := w.atRemote(context.Background(), "for-each-ref", "--format=%(objectname) %(*objectname)", "refs/tags/"+name)
	object, commit, _ := strings.Cut(out, " ")
	if commit == "" {
		commit = object
	}
	return server.Tag{Object: object, Commit: commit}, err == nil && object != ""
}

// Environ is the environment of a person's machine that is in this world: the given one with other addresses, and with the
// credentials that count here.
func (w *World) Environ(of []string) []string {
	if w.Unnamed {
		of = command.Setenv(of, "PREFIX_CHANNEL="+w.Channel)
	} else {
		of = command.Unset(of, "PREFIX_CHANNEL")
	}
	if w.Dice != nil { // of what fails at random some is silent, and nothing is learned by waiting for it
		of = command.Setenv(of, "PIPELINE_PATIENCE=30s")
	}
	env := command.Unset(of, "RATTLER_AUTH_FILE", "GITHUB_ACTIONS", "GITHUB_REF_TYPE", "GITHUB_REF_NAME", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITLAB_CI", bare.PushedBy)
	return command.Setenv(env,
		"PREFIX_SERVER_URL="+w.Prefix.URL, "PREFIX_API_KEY="+w.Prefix.Key,
		"GITHUB_API_URL="+w.API, "GITHUB_REPOSITORY="+w.Repository, "GITHUB_TOKEN="+w.token,
	)
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
	err := w.Bare().CountTags("# An injected fault.\n" + `for f in faults/[0-9]*; do
	mv "$f" faults/now 2>/dev/null || exit 0
	if [ "$(cat faults/now)" = before ]; then kill -9 $PPID; fi
	exit 0
done
`)
	after := "#!/bin/sh\n# An injected fault.\n" + `if [ "$(cat faults/now)" = after ]; then kill -9 $PPID; fi
`
	return errors.Join(err, os.WriteFile(filepath.Join(w.Remote, "hooks", "post-receive"), []byte(after), 0o755))
}
