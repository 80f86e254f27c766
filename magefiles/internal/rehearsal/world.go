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

// WorldConfig describes the initial state of an embedded world.
type WorldConfig struct {
	Dir        string
	Runner     command.Runner // runs git and the CI's jobs
	Environ    []string       // environment of this machine, which jobs partly inherit
	Source     *gitrepo.Repo  // the remote starts as a copy of this repository
	Commit     string         // commit of the remote's branch; "" means the source's HEAD
	Branch     string
	Tags       []string          // tags of the source that the remote has; nil means the tags in the history of the source's HEAD
	Pending    []string          // tags of the remote that the CI must still publish
	Past       []earlier.Release // releases that are already on the channel and on GitHub
	Channel    string            // name of the channel
	Private    bool              // reading the channel requires a credential
	Unnamed    bool              // the channel is only set by PREFIX_CHANNEL, not in a manifest
	Repository string            // "owner/name"
	CI         bool              // a workflow publishes when a tag is pushed
	Workflow   string            // the file that the channel trusts; "" means GitHub's release.yml
	Program    string            // the compiled magefile, which the CI runs as `mage`
	Pycache    string            // folder for the jobs' byte code, which saves time if it is kept; "" for none
	Dice       *faults.Dice      // decides which calls fail at random; nil disables faults

	// Wrap wraps the servers' handler. It may be nil.
	Wrap   func(http.Handler) http.Handler
	Reruns int // how often a failed job is rerun by hand

	Variables map[string]string // repository variables for workflow files
	StandIns  map[string]string // stand-ins for actions, as in `[tool.release.actions]`
	Secrets   map[string]string // the repository's secrets, by name; "" means that a secret is not set
	JobsOpen  bool              // the setting "Allow GitHub Actions to create and approve pull requests"

	Reviewers []string // people who must approve the upload job, through Approved; empty means no approval is needed
}

// ReaderToken is a token of the embedded GitHub that may read but not make releases.
const ReaderToken = "ghp_of_who_may_read"

// World embeds everything that a release communicates with: a bare git repository as the remote, prefix.dev with the CI's token service, GitHub's
// API, and the CI itself, which runs release.yml from the commit of a pushed tag. The parts use the real protocols on loopback. For a release, only
// the addresses differ.
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
	begin func(tag, event string, inputs map[string]string) // starts a concurrent run of the CI; nil if there is no CI
	files *workflows.CI                                     // runs workflow files

	Approved chan struct{} // a sent value releases the job that waits for reviewers, or the next job that will wait

	mu       sync.Mutex
	ran      []Job
	granted  map[string]map[string]string                                   // permissions of jobs, by token
	approver func(ctx context.Context, run int64, environment string) error // approves other environments; nil: none needed
}

// Job is one run of the embedded CI.
type Job struct {
	Tag     string            `json:"tag"`              // "" if a branch triggered the run
	Branch  string            `json:"branch,omitempty"` // the branch whose push triggered the run
	Attempt int               `json:"attempt"`
	OK      bool              `json:"ok"`
	Log     string            `json:"-"`             // the end of the output
	Run     *workflows.Report `json:"run,omitempty"` // nil if no workflow file ran
}

// NewWorld starts the world. The configured folder must be empty or absent.
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

// makeRemote creates the bare repository, with the source's object format. It accepts every push, even from a shallow clone, regardless of the
// user's git settings for remotes and their hooks.
func (w *World) makeRemote(ctx context.Context) error {
	commit, tags, err := w.beginning(ctx)
	if err != nil {
		return err
	}
	format, err := w.gitIn(ctx, w.Source.Top, "rev-parse", "--show-object-format")
	if err != nil {
		return err
	}
	// If git supports several ref formats, use the one with a file per ref: the CI here reads tags from files.
	files := command.Setenv(w.quietGit(), "GIT_DEFAULT_REF_FORMAT=files")
	_, err = gitsettings.Ask(ctx, w.Runner, files, w.Dir, "init", "--quiet", "--bare", "--template=", "--object-format="+format, "--initial-branch="+w.Branch, w.Remote)
	err = errors.Join(err, gitclone.Lend(w.Source, w.Remote))
	for _, kv := range [][2]string{
		{"receive.shallowUpdate", "true"}, {"core.hooksPath", filepath.Join(w.Remote, "hooks")}, {"gc.auto", "0"}, {"receive.autogc", "false"},
	} {
		if err == nil {
			_, err = w.gitAtRemote(ctx, "config", kv[0], kv[1])
		}
	}
	refs := []string{commit + ":refs/heads/" + w.Branch}
	for _, tag := range tags {
		refs = append(refs, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	at := len(refs)
	if _, shallow := os.Lstat(filepath.Join(w.Source.Common, "shallow")); shallow == nil {
		at = 1 // git does not accept several refs to one commit at once from a shallow repository
	}
	for some := range slices.Chunk(refs, at) {
		if err == nil {
			_, err = gitsettings.RunAsOwner(ctx, w.Runner, command.Unset(w.WorldConfig.Environ, gitsettings.AllowProtocol), w.Source.Top, w.filling(some)...)
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

// filling returns the arguments of the push that fills the remote. It pushes exactly these refs, only to this remote, whatever push settings the user
// has.
func (w *World) filling(refs []string) []string {
	args := []string{"-c", "core.hooksPath=" + os.DevNull, "-c", "push.pushOption=", "-c", "protocol.file.allow=always"}
	if !strings.Contains(w.Remote, "=") { // if two rules match a URL, git uses the longer rule
		args = append(args, "-c", "url."+w.Remote+".insteadOf="+w.Remote, "-c", "url."+w.Remote+".pushInsteadOf="+w.Remote)
	}
	args = append(args, "push", "--quiet", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
		"--receive-pack=env GIT_CONFIG_GLOBAL="+os.DevNull+" GIT_CONFIG_NOSYSTEM=1 git receive-pack", "--", w.Remote)
	return append(args, refs...)
}

// beginning returns the remote's first commit and tags. Tags outside the commit's history are skipped, because later releases created them.
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

// gitIn runs git in the user's repository, with the user's git configuration.
func (w *World) gitIn(ctx context.Context, dir string, args ...string) (string, error) {
	return gitsettings.Ask(ctx, w.Runner, w.WorldConfig.Environ, dir, args...)
}

// gitAtRemote runs git on the remote, without hooks.
func (w *World) gitAtRemote(ctx context.Context, args ...string) (string, error) {
	return gitsettings.Ask(ctx, w.Runner, w.quietGit(), w.Dir, append([]string{"--git-dir=" + w.Remote, "-c", "core.hooksPath=" + os.DevNull}, args...)...)
}

// quietGit returns an environment for git without any configuration, as on a server or a CI runner.
func (w *World) quietGit() []string {
	return command.Setenv(gitsettings.WithoutConfig(w.WorldConfig.Environ), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
}

// fillChannel copies the artifacts of earlier releases to the channel's folder.
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

// fillHub creates the GitHub releases of earlier releases.
func (w *World) fillHub() error {
	if w.Hub == nil {
		return nil // serve has already returned the error
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

// Bare returns the remote, with its pull requests and its rules.
func (w *World) Bare() bare.Remote {
	return bare.Remote{Runner: w.Runner, Environ: w.quietGit(), Dir: w.Remote}
}

// tag finds a tag in the remote.
func (w *World) tag(name string) (server.Tag, bool) {
	out, err := w.gitAtRemote(context.Background(), "for-each-ref", "--format=%(objectname) %(*objectname)", "refs/tags/"+name)
	object, commit, _ := strings.Cut(out, " ")
	if commit == "" {
		commit = object
	}
	return server.Tag{Object: object, Commit: commit}, err == nil && object != ""
}

// Environ adapts a user's environment to this world: it replaces addresses and adds this world's credentials.
func (w *World) Environ(of []string) []string {
	if w.Unnamed {
		of = command.Setenv(of, "PREFIX_CHANNEL="+w.Channel)
	} else {
		of = command.Unset(of, "PREFIX_CHANNEL")
	}
	if w.Dice != nil { // some faults only make a server hang, and longer waits would not test anything else
		of = command.Setenv(of, "PIPELINE_PATIENCE=30s")
	}
	env := command.Unset(of, "RATTLER_AUTH_FILE", "GITHUB_ACTIONS", "GITHUB_REF_TYPE", "GITHUB_REF_NAME", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITLAB_CI", bare.PushedBy)
	return command.Setenv(env,
		"PREFIX_SERVER_URL="+w.Prefix.URL, "PREFIX_API_KEY="+w.Prefix.Key,
		"GITHUB_API_URL="+w.API, "GITHUB_REPOSITORY="+w.Repository, "GITHUB_TOKEN="+w.token,
	)
}

// Jobs returns the CI's runs so far.
func (w *World) Jobs() []Job {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Job(nil), w.ran...)
}

// Secrets returns the values that must not appear in output.
func (w *World) Secrets() []string { return []string{w.token, w.Prefix.Key} }

// Close stops the CI's jobs and the servers. It may be called on a nil World.
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

// gitFaults makes pushes fail at random, before or after they are accepted. It uses hooks because git offers no other way.
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
