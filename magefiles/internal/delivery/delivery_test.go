package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/begun"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/delivery"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/session/sessiontest"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// world is a clone with a downstream, plus a registry and hosts, which are simulated by files.
type world struct {
	t    *testing.T
	base int // number of commits before the delivery
	root string
	bare string
	run  command.Runner
	repo *gitrepo.Repo
	git  func(args ...string) string
	out  string // folder with the registry and the hosts

	version string // target version for the pins
	broken  string // environment that fails to deploy
	checks  error  // error of the downstream's check
	halfway string // environment whose deployment is killed when only some hosts have the image
	left    int    // number of requests to registry and hosts before they fail; negative for no limit
	asked   []string
}

// digest returns the digest of a commit's image.
func digest(commit string) string { return "sha256:" + commit + strings.Repeat("0", 64-len(commit)) }

func newWorld(t *testing.T) *world {
	w := &world{t: t, out: t.TempDir(), version: "0.10.0", left: -1}
	w.repo, w.root, w.git = gitrepotest.Open(t)
	w.run = w.repo.Runner
	for name, text := range map[string]string{
		"pixi.toml":     "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
		"a/pixi.toml":   "[package]\nname = \"a\"\nversion = \"0.10.0\"\nbuild.backend.name = \"x\"\n",
		"app/pixi.toml": "[workspace]\nname = \"app\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = []\n[dependencies]\na = \"==0.1.0\"\n",
		"app/pixi.lock": "a 0.1.0\n",
	} {
		gitrepotest.Write(t, w.root, name, text)
	}
	w.git("add", ".")
	w.git("commit", "-qm", "begin")
	w.base = w.commits()
	w.bare = gitrepotest.AddRemote(t, w.root, w.git)
	w.git("branch", "-q", "-u", "origin/main")
	w.put("staging", digest("0"))
	w.put("production", digest("0"))
	return w
}

// commits returns the number of commits made by deliveries.
func (w *world) commits() int {
	n, err := strconv.Atoi(w.git("rev-list", "--count", "HEAD"))
	require.NoError(w.t, err)
	return n - w.base
}

func (w *world) put(name, text string) {
	require.NoError(w.t, os.WriteFile(filepath.Join(w.out, name), []byte(text), 0o644))
}

func (w *world) get(name string) string {
	data, _ := os.ReadFile(filepath.Join(w.out, name))
	return string(data)
}

// ask counts a request to the registry or a host, and fails if none is left.
func (w *world) ask() error {
	if w.left == 0 {
		return errors.New("the world is gone")
	}
	w.left--
	return nil
}

// stage is a simulated environment: a file with the digests that it has run, newest last.
type stage struct {
	*world
	name, after string
}

func (s stage) Name() string  { return s.name }
func (s stage) After() string { return s.after }

func (s stage) runs() []string { return strings.Fields(s.get(s.name)) }

func (s stage) Runs(_ context.Context, image survey.Image) (all, some bool, err error) {
	has := s.runs()
	runs := has[len(has)-1] == image.Digest
	return runs && s.halfway != s.name, runs, s.ask()
}

func (s stage) Deploy(_ context.Context, image survey.Image) error {
	if err := s.ask(); err != nil {
		return err
	}
	if s.broken == s.name {
		return errors.New("it is not healthy, and every host runs what it ran before")
	}
	s.put(s.name, s.get(s.name)+" "+image.Digest)
	if s.halfway == s.name {
		return errors.New("the process was killed")
	}
	return nil
}

func (s stage) Back(context.Context) error {
	if err := s.ask(); err != nil {
		return err
	}
	all := s.runs()
	s.put(s.name, strings.Join(all[:len(all)-1], " "))
	return nil
}

// delivery returns a delivery in this clone.
func (w *world) delivery(stages ...delivery.Stage) *delivery.Delivery {
	if stages == nil {
		stages = []delivery.Stage{stage{world: w, name: "staging"}, stage{world: w, name: "production", after: "staging"}}
	}
	return &delivery.Delivery{Means: delivery.Means{
		App:    "app",
		Repo:   w.repo,
		Store:  &bump.Store{Top: w.root, Dir: filepath.Join(w.root, ".git", "x")},
		State:  filepath.Join(w.root, ".git", "x"),
		Remote: "origin",
		Locked: "app/pixi.lock",
		Pins: func(ctx context.Context) (*bump.Plan, error) {
			of, err := workspace.Load(w.root)
			if err != nil {
				return nil, err
			}
			return bump.Upgrade(ctx, of, of.Downstreams, bump.Request{To: w.version}, nil)
		},
		Lock: func(context.Context) error {
			gitrepotest.Write(w.t, w.root, "app/pixi.lock", "a "+w.version+"\n")
			return nil
		},
		Check: func(context.Context) error { return w.checks },
		Find: func(_ context.Context, commit string) (survey.Image, bool, error) {
			image := survey.Image{Repository: "registry.example.org/app", Digest: digest(commit), Revision: commit}
			return image, w.get("image-"+commit) != "", w.ask()
		},
		Build: func(_ context.Context, commit string) error {
			if err := w.ask(); err != nil {
				return err
			}
			w.put("image-"+commit, "it is there")
			return nil
		},
		Stages:  stages,
		Confirm: func(context.Context, *delivery.Plan) error { return nil },
		Approve: func(_ context.Context, question string) error {
			w.asked = append(w.asked, question)
			return nil
		},
		Say: w.t.Logf,
	}}
}

// delivered checks that the delivery completed, and did everything exactly once.
func (w *world) delivered(t *testing.T) {
	head := w.git("rev-parse", "HEAD")
	require.Equal(t, head, w.git("ls-remote", "origin", "refs/heads/main")[:40])
	require.Equal(t, "app: take a 0.10.0", w.git("log", "-1", "--format=%s"))
	require.Equal(t, 1, w.commits())
	require.Empty(t, w.git("status", "--porcelain"))
	require.Equal(t, "a 0.10.0", w.git("show", "HEAD:app/pixi.lock"))
	for _, name := range []string{"staging", "production"} {
		require.Equal(t, digest("0")+" "+digest(head), w.get(name), name)
	}
}

// A delivery takes a version to the last environment's hosts, with a single confirmation before that environment. A repeated run does nothing.
func TestDelivery(t *testing.T) {
	w := newWorld(t)
	p, err := w.delivery().Run(t.Context())
	require.NoError(t, err, operr.NextOf(err))
	require.Equal(t, "app/0.10.0", p.Label())
	w.delivered(t)
	require.Len(t, w.asked, 1)
	require.Contains(t, w.asked[0], "Deploy to production what runs on staging")

	p, err = w.delivery().Run(t.Context())
	require.NoError(t, err)
	require.Nil(t, p, "there is nothing to do")
	w.delivered(t)
}

// If the user declines to deploy to an environment, or cannot be asked, the error says what the previous environment runs, and how to continue or
// undo. No message claims that nothing has changed.
func TestDeclinedEnvironment(t *testing.T) {
	w := newWorld(t)
	for err, want := range map[error]string{
		operr.NewDeclined("not done"):                              `^not deployed to production: you said no; staging runs [0-9a-f]{12}\n→ run .mage deliver. to continue the delivery, or .mage deliver -undo. to undo the delivery$`,
		operr.NewStopped("add -yes", "x: %w", operr.ErrNobody):     `^not deployed to production: there is no terminal to ask at, and no -yes; staging runs [0-9a-f]{12}\n→ run .mage deliver -yes. to continue the delivery, `,
		fmt.Errorf("approving: %w", operr.NewDeclined("not done")): "^not deployed to production: you said no; staging runs ",
	} {
		d := w.delivery()
		d.Approve = func(context.Context, string) error { return err }
		_, said := d.Run(t.Context())
		require.Regexp(t, want, fmt.Sprintf("%+v", said))
		require.Equal(t, operr.Stopped, operr.ExitStatus(said))
		require.Equal(t, errors.Is(err, operr.ErrDeclined), errors.Is(said, operr.ErrDeclined))
		require.Equal(t, digest("0"), w.get("production"))
		require.NotEqual(t, digest("0"), w.get("staging"))
	}
	_, err := w.delivery().Run(t.Context())
	require.NoError(t, err)
	w.delivered(t)
}

// A delivery that is killed at any point can be resumed, with the same result.
func TestDeliveryKilledAtEachPoint(t *testing.T) {
	sessiontest.CheckKills(t, func(t *testing.T) sessiontest.Site[*delivery.Plan] {
		w := newWorld(t)
		return sessiontest.Site[*delivery.Plan]{
			Operation: func() *session.Operation[*delivery.Plan] { return delivery.OperationOf(w.delivery()) },
			Done:      w.delivered,
			Break:     func(after int) { w.left = after },
		}
	})
}

// A delivery that is killed at any point can be undone, even if the undo is killed too. A pushed commit remains.
func TestDeliveryUndoneAtEachPoint(t *testing.T) {
	killed := errors.New("the process was killed")
	over := false
	for n := 1; !over; n++ {
		t.Run(fmt.Sprintf("after entry %d", n), func(t *testing.T) {
			w := newWorld(t)
			run := delivery.OperationOf(w.delivery())
			run.Written = func(entries int) error {
				if entries == n {
					return killed
				}
				return nil
			}
			if _, err := run.Run(t.Context()); err != nil {
				require.ErrorIs(t, err, killed)
			}
			left, err := run.Last()
			require.NoError(t, err)
			if over = left.End != ""; over {
				return
			}
			past, err := delivery.OperationOf(w.delivery()).Undo(t.Context())
			require.NoError(t, err, operr.NextOf(err))
			journal, err := os.ReadFile(past.Path)
			require.NoError(t, err)
			journal = bytes.TrimSuffix(journal, []byte("\n"))
			require.NoError(t, os.WriteFile(past.Path, journal[:bytes.LastIndexByte(journal, '\n')+1], 0o644)) // the last record is cut off
			_, err = w.delivery().Undo(t.Context())
			require.NoError(t, err, operr.NextOf(err))
			for _, name := range []string{"staging", "production"} {
				require.Equal(t, digest("0"), w.get(name), name)
			}
			require.Empty(t, w.git("status", "--porcelain"))
			require.Equal(t, w.git("rev-parse", "HEAD"), w.git("ls-remote", "origin", "refs/heads/main")[:40], "either both have it, or none")
			_, err = w.delivery().Run(t.Context())
			require.NoError(t, err, operr.NextOf(err))
			w.delivered(t)
		})
	}
}

// Undo does not discard other changes made since: an edit, a commit on top of the delivery's commit, or another branch.
func TestUndoThatIsRefused(t *testing.T) {
	failing := func(w *world) { w.checks = errors.New("two tests failed") }
	unpushed := func(w *world) { gitrepotest.Hook(w.t, w.bare, "update", "exit 1") }
	for says, c := range map[string]struct {
		spoil, since func(w *world)
		stays        string // the work tree file with the change
	}{
		"cannot restore files that were edited after the delivery moved the pins: app/pixi.toml": {
			spoil: failing,
			since: func(w *world) {
				data, err := os.ReadFile(filepath.Join(w.root, "app/pixi.toml"))
				require.NoError(w.t, err)
				gitrepotest.Write(w.t, w.root, "app/pixi.toml", string(data)+"# mine\n")
			},
			stays: "app/pixi.toml",
		},
		"is not the last commit of the branch any more": {
			spoil: unpushed,
			since: func(w *world) {
				gitrepotest.Write(w.t, w.root, "notes", "# mine\n")
				w.git("add", "notes")
				w.git("commit", "-qm", "notes")
			},
			stays: "notes",
		},
		"on the branch main, but other is checked out": {
			spoil: unpushed,
			since: func(w *world) {
				w.git("switch", "-qc", "other")
				gitrepotest.Write(w.t, w.root, "notes", "# mine\n")
			},
			stays: "notes",
		},
	} {
		t.Run(says, func(t *testing.T) {
			w := newWorld(t)
			c.spoil(w)
			_, err := w.delivery().Run(t.Context())
			require.Error(t, err)
			commits := w.commits()
			c.since(w)
			_, err = w.delivery().Undo(t.Context())
			require.ErrorContains(t, err, says)
			require.Equal(t, operr.Stopped, operr.ExitStatus(err))
			require.NotEmpty(t, operr.NextOf(err))
			data, err := os.ReadFile(filepath.Join(w.root, c.stays))
			require.NoError(t, err)
			require.Contains(t, string(data), "# mine")
			require.GreaterOrEqual(t, w.commits(), commits)
		})
	}
}

// A hook prevented the delivery from committing its pins, and someone has merged the same pins since. Undo keeps them and everything else in the
// merge.
func TestUndoKeepsAColleaguesMerge(t *testing.T) {
	w := newWorld(t)
	gitrepotest.Hook(t, filepath.Join(w.root, ".git"), "pre-commit", "exit 1")
	_, err := w.delivery().Run(t.Context())
	require.ErrorContains(t, err, "committing")
	require.NoError(t, os.Remove(filepath.Join(w.root, ".git/hooks/pre-commit")))
	w.git("switch", "-qc", "theirs")
	gitrepotest.Write(t, w.root, "notes", "# theirs\n")
	w.git("add", "-A")
	w.git("commit", "-qm", "pins, and notes")
	w.git("switch", "-q", "main")
	w.git("merge", "-q", "--no-ff", "-m", "merged", "theirs")
	merged := w.git("rev-parse", "HEAD")

	_, err = w.delivery().Undo(t.Context())
	require.NoError(t, err, operr.NextOf(err))
	require.Equal(t, merged, w.git("rev-parse", "HEAD"))
	require.FileExists(t, filepath.Join(w.root, "notes"))
}

// If the delivery has not started to update the lock file, undo does not restore it, because its changes are not the delivery's.
func TestUndoKeepsTheUsersLockFile(t *testing.T) {
	w := newWorld(t)
	run := delivery.OperationOf(w.delivery())
	killed := errors.New("the process was killed")
	run.Written = func(int) error {
		data, err := os.ReadFile(filepath.Join(w.root, "app/pixi.toml"))
		require.NoError(t, err)
		if strings.Contains(string(data), w.version) {
			return killed
		}
		return nil
	}
	_, err := run.Run(t.Context())
	require.ErrorIs(t, err, killed)
	gitrepotest.Write(t, w.root, "app/pixi.lock", "mine\n")
	_, err = w.delivery().Undo(t.Context())
	require.NoError(t, err, operr.NextOf(err))
	require.Equal(t, "M app/pixi.lock", strings.TrimSpace(w.git("status", "--porcelain")))
}

// A delivery stops at a failure. After the cause is fixed, it resumes at the failed step without repeating earlier ones.
func TestFailedDelivery(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, repair func(w *world)
		says          string
		commits       int // expected number of commits after the failure
	}{
		"its checks fail": {
			spoil:   func(w *world) { w.checks = errors.New("two tests failed") },
			repair:  func(w *world) { w.checks = nil },
			says:    "two tests failed",
			commits: 0,
		},
		"an environment fails": {
			spoil:   func(w *world) { w.broken = "production" },
			repair:  func(w *world) { w.broken = "" },
			says:    "every host runs what it ran before",
			commits: 1,
		},
		"a hook refuses the commit": {
			spoil:   func(w *world) { gitrepotest.Hook(w.t, filepath.Join(w.root, ".git"), "pre-commit", "exit 1") },
			repair:  func(w *world) { require.NoError(w.t, os.Remove(filepath.Join(w.root, ".git/hooks/pre-commit"))) },
			says:    "committing",
			commits: 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.spoil(w)
			_, err := w.delivery().Run(t.Context())
			require.ErrorContains(t, err, c.says)
			require.Contains(t, operr.NextOf(err), "`mage deliver` continues from here")
			require.Equal(t, c.commits, w.commits())
			c.repair(w)
			_, err = w.delivery().Run(t.Context())
			require.NoError(t, err, operr.NextOf(err))
			w.delivered(t)
		})
	}
}

// If the branch is protected, the commit is pushed to another branch, and the delivery resumes when that branch is merged, by any method.
func TestDeliveryToAProtectedBranch(t *testing.T) {
	for name, merge := range map[string][]string{
		"by a merge":   {"merge", "-q", "--no-ff", "-m", "merged"},
		"by a rebase":  {"cherry-pick", "--keep-redundant-commits"},
		"by a squash":  {"merge", "-q", "--squash"},
		"fast forward": {"merge", "-q", "--ff-only"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			gitrepotest.Hook(t, w.bare, "update", `test "$1" != refs/heads/main`)
			_, err := w.delivery().Run(t.Context())
			require.ErrorContains(t, err, "origin refuses pushes to main")
			require.Equal(t, operr.Stopped, operr.ExitStatus(err))
			branch := "foopack/deliver-app-" + w.git("rev-parse", "HEAD")[:12]
			require.Contains(t, operr.NextOf(err), "merge "+branch+" into main by a pull request, and then run `git pull --rebase`")

			require.NoError(t, os.Remove(filepath.Join(w.bare, "hooks/update")))
			other := filepath.Join(t.TempDir(), "other")
			w.git("clone", "-q", w.bare, other)
			git := func(args ...string) { gitrepotest.Git(t, w.run, other, args...) }
			git(append(slices.Clone(merge), "origin/"+branch)...)
			if name == "by a squash" {
				git("commit", "-qm", "squashed (#1)")
			}
			git("push", "-q", "origin", "main")
			gitrepotest.Hook(t, w.bare, "update", `test "$1" != refs/heads/main`)
			w.git("pull", "-q", "--rebase")
			_, err = w.delivery().Run(t.Context())
			require.NoError(t, err, operr.NextOf(err))
			head := w.git("rev-parse", "HEAD")
			require.Equal(t, digest("0")+" "+digest(head), w.get("production"))
			if name != "by a squash" {
				return
			}
			w.version = "0.11.0" // the previous delivery's branch still exists, and is not reused
			_, err = w.delivery().Run(t.Context())
			require.ErrorContains(t, err, "origin refuses pushes to main")
			require.Equal(t, operr.Stopped, operr.ExitStatus(err))
		})
	}
}

// A delivery that cannot succeed is rejected before anything changes.
func TestWhatIsRefused(t *testing.T) {
	for says, spoil := range map[string]func(w *world) []delivery.Stage{
		"has changes": func(w *world) []delivery.Stage {
			gitrepotest.Write(w.t, w.root, "a/pixi.toml", "[package]\nname = \"a\"\nversion = \"0.10.0\"\nbuild.backend.name = \"y\"\n")
			return nil
		},
		"no branch is checked out": func(w *world) []delivery.Stage {
			w.git("switch", "-q", "--detach")
			return nil
		},
		"is not a version": func(w *world) []delivery.Stage {
			w.version = "x y"
			return nil
		},
		"has no deployment environment": func(*world) []delivery.Stage { return []delivery.Stage{} },
	} {
		t.Run(says, func(t *testing.T) {
			w := newWorld(t)
			stages := spoil(w)
			before := w.git("status", "--porcelain")
			_, err := w.delivery(stages...).Run(t.Context())
			if stages != nil {
				d := w.delivery()
				d.Stages = nil
				_, err = d.Run(t.Context())
			}
			require.ErrorContains(t, err, says)
			require.NotEmpty(t, operr.NextOf(err))
			require.Equal(t, before, w.git("status", "--porcelain"))
			require.Zero(t, w.commits())
		})
	}
}

// A request for a different delivery does not resume the unfinished one.
func TestAnotherDelivery(t *testing.T) {
	w := newWorld(t)
	w.broken = "production"
	_, err := w.delivery().Run(t.Context())
	require.Error(t, err)
	for _, ask := range []func(d *delivery.Delivery){
		func(d *delivery.Delivery) { d.Until = "staging" },
		func(d *delivery.Delivery) { d.To = "0.9.0" },
		func(d *delivery.Delivery) { d.App = "other" },
	} {
		d := w.delivery()
		ask(d)
		_, err = d.Run(t.Context())
		require.ErrorContains(t, err, "the delivery app/0.10.0 is unfinished, so no other delivery can start")
		require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	}
	w.version = "0.11.0" // a newer version is available; a request without a version still resumes the unfinished delivery
	_, err = w.delivery().Run(t.Context())
	require.ErrorContains(t, err, "every host runs what it ran before")

	left, err := w.delivery().FindUnfinished()
	require.NoError(t, err)
	require.Equal(t, "app/0.10.0", left.Label())
	_, standing, err := w.delivery().Look(t.Context())
	require.NoError(t, err)
	for _, s := range standing {
		require.NotEqual(t, workflow.Trouble, s.World, "%s: the world is asked, and answers: %s", s.Step, s.Seen)
	}
	require.Equal(t, workflow.IsNotDone, standing[len(standing)-1].World)
	p, err := w.delivery().Undo(t.Context())
	require.NoError(t, err, operr.NextOf(err))
	require.Equal(t, "app/0.10.0", p.Label())
	_, err = w.delivery().FindUnfinished()
	require.ErrorContains(t, err, "there is no unfinished delivery to undo")
	require.Equal(t, digest("0"), w.get("staging"))
	require.Equal(t, 1, w.commits(), "what is pushed stays")
}

// The same holds if the pins already had the target version: a request for another version is rejected.
func TestAnotherDeliveryWithUpToDatePins(t *testing.T) {
	w := newWorld(t)
	w.version, w.broken = "0.1.0", "production"
	_, err := w.delivery().Run(t.Context())
	require.ErrorContains(t, err, "every host runs what it ran before")
	for asked, want := range map[string]string{
		"":       "every host runs what it ran before",
		"0.1.0":  "every host runs what it ran before",
		"0.10.0": "is unfinished, so no other delivery can start",
		"0.8.0":  "is unfinished, so no other delivery can start",
	} {
		d := w.delivery()
		d.To, w.version = asked, asked
		_, err := d.Run(t.Context())
		require.ErrorContains(t, err, want, asked)
	}
}

// An environment in which only some hosts have the image is rolled back too.
func TestUndoOfAHalfDeployedEnvironment(t *testing.T) {
	w := newWorld(t)
	w.halfway = "production"
	_, err := w.delivery().Run(t.Context())
	require.ErrorContains(t, err, "the process was killed")
	_, err = w.delivery().Undo(t.Context())
	require.NoError(t, err, operr.NextOf(err))
	for _, name := range []string{"staging", "production"} {
		require.Equal(t, digest("0"), w.get(name), name)
	}
}

// Each environment comes after the one that it names.
func TestOrder(t *testing.T) {
	type env = [2]string
	for _, c := range []struct {
		envs        []env
		until, want string
	}{
		{envs: []env{{"production", "staging"}, {"staging", ""}}, want: "staging production"},
		{envs: []env{{"production", "staging"}, {"staging", ""}}, until: "staging", want: "staging"},
		{envs: []env{{"c", "b"}, {"b", "a"}, {"a", ""}, {"d", ""}}, want: "a b c d"},
		{envs: []env{{"a", "b"}, {"b", "a"}}, want: "the environments a, b wait for one another"},
		{envs: []env{{"a", "a"}}, want: "the environments a wait for one another"},
		{envs: []env{{"a", "x"}}, want: `[tool.deploy.a] has after = "x", but there is no environment with this name`},
		{envs: []env{{"a", ""}}, until: "b", want: `there is no deployment environment "b"`},
	} {
		var all []delivery.Stage
		for _, e := range c.envs {
			all = append(all, stage{name: e[0], after: e[1]})
		}
		ordered, err := delivery.Order(all)
		if err == nil {
			ordered, err = delivery.Until(ordered, c.until)
		}
		var got []string
		for _, s := range ordered {
			got = append(got, s.Name())
		}
		if err != nil {
			got = []string{err.Error()}
		}
		require.Equal(t, c.want, strings.Join(got, " "))
	}
}

// A plan can be encoded as JSON and decoded without changes.
func TestAPlanSurvives(t *testing.T) {
	w := newWorld(t)
	p, err := w.delivery().Run(t.Context())
	require.NoError(t, err)
	data, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(data), `"environments":["staging","production"]`)
	require.Contains(t, fmt.Sprint(p.Pins.Packages), "0.10.0")
}

// If the image of the same commit is rebuilt, it is a different image. A delivery that started with the first one does not continue with it, and
// can be undone.
func TestTagMovedDuringADelivery(t *testing.T) {
	for _, when := range []string{"between two runs", "in the question"} {
		w := newWorld(t)
		moved := false
		start := func() *delivery.Delivery {
			d := w.delivery()
			find := d.Find
			d.Find = func(ctx context.Context, commit string) (survey.Image, bool, error) {
				image, there, err := find(ctx, commit)
				if moved {
					image.Digest = digest("f")
				}
				return image, there, err
			}
			return d
		}
		d := start()
		d.Approve = func(context.Context, string) error {
			moved = true
			if when == "in the question" {
				return nil
			}
			return errors.New("the terminal is gone")
		}
		_, err := d.Run(t.Context())
		require.Error(t, err)
		if when != "in the question" {
			_, err = start().Run(t.Context())
		}
		require.ErrorContains(t, err, ", found the image f000")
		require.ErrorContains(t, err, "changed during this delivery: expected ")
		require.Equal(t, operr.Stopped, operr.ExitStatus(err), when)
		require.Equal(t, digest("0"), w.get("production"))
		_, err = start().Undo(t.Context())
		require.NoError(t, err)
		require.Equal(t, digest("0"), w.get("staging"))
	}
}

// Package begun, which does not access hosts, reports the unfinished delivery, its progress, and what can be undone.
func TestAnUnfinishedDeliveryIsNamed(t *testing.T) {
	w := newWorld(t)
	state := w.delivery().State
	unfinished := func() *begun.Delivery {
		d, err := begun.Unfinished(state, state)
		require.NoError(t, err)
		return d
	}
	require.Nil(t, unfinished())
	w.checks = errors.New("a test failed")
	_, err := w.delivery().Run(t.Context())
	require.Error(t, err)
	require.Equal(t, []string{"the files that the delivery changed are restored"}, unfinished().TakenBack)
	w.checks, w.broken = nil, "production"
	_, err = w.delivery().Run(t.Context())
	require.Error(t, err)
	d := unfinished()
	require.Equal(t, []string{
		"production goes back to the previous release, if the new release runs there", "staging goes back to the previous release, if the new release runs there",
		"the image stays in the registry", "a pushed commit stays, and can be reverted with `git revert`",
	}, d.TakenBack)
	require.Contains(t, d.Lines()[0], "a delivery of app to staging, then production is unfinished: the last completed step is approve production; `mage deliver` continues the delivery")
	require.NotEmpty(t, d.Since)
	unlock, _, err := delivery.OperationOf(w.delivery()).Lock()
	require.NoError(t, err)
	require.Regexp(t, `^a delivery of app to staging, then production is under way \(process \d+ since \S+\): the last completed step`, strings.Join(unfinished().Lines(), "\n"))
	require.NotContains(t, unfinished().Lines()[0], "-undo")
	unlock()
	require.Contains(t, d.Done, "image")
	w.broken = ""
	_, err = w.delivery().Run(t.Context())
	require.NoError(t, err)
	require.Nil(t, unfinished())
}

// A delivery belongs to the work tree that started it, because it changes that work tree's files. Other work trees of the clone can neither resume
// nor undo it, and cannot start a delivery in the meantime.
func TestADeliveryOfAnotherWorkTree(t *testing.T) {
	w := newWorld(t)
	w.checks = errors.New("a test failed")
	_, err := w.delivery().Run(t.Context())
	require.Error(t, err)
	shared := w.delivery().State
	other := w.delivery()
	other.State, other.Shared = filepath.Join(shared, "linked"), shared
	_, err = other.Undo(t.Context())
	require.ErrorContains(t, err, "there is nothing to undo")
	for state, is := range map[string]bool{shared: true, other.State: false} {
		d, err := begun.Unfinished(state, shared)
		require.NoError(t, err)
		require.Equal(t, is, d != nil, state)
	}
	unlock, _, err := delivery.OperationOf(w.delivery()).Lock()
	require.NoError(t, err)
	_, err = other.Run(t.Context())
	require.ErrorContains(t, err, "another delivery is under way here")
	d, err := begun.Unfinished(shared, shared)
	require.NoError(t, err)
	require.NotEmpty(t, d.Running)
	unlock()
}

// Older versions stored the journal of a linked work tree's delivery in the folder for all work trees. Only the work tree with the delivery's
// branch resumes it.
func TestADeliveryOfALinkedWorkTreeBeforeAnUpgrade(t *testing.T) {
	w := newWorld(t)
	w.checks = errors.New("a test failed")
	_, err := w.delivery().Run(t.Context())
	require.Error(t, err)
	shared := w.delivery().State
	own := filepath.Join(shared, "linked")
	is := func(want, branch string) {
		t.Helper()
		state, err := begun.StateOf(own, shared, branch)
		require.NoError(t, err)
		require.Equal(t, want, state)
	}
	is(shared, "main")
	is(own, "side")
	is(own, "")
	w.git("checkout", "-q", "-b", "side") // the main work tree has another branch, so the delivery is not its own
	_, err = w.delivery().Undo(t.Context())
	require.ErrorContains(t, err, "on the branch main, but side is checked out")
	w.git("checkout", "-q", "main")
	_, err = w.delivery().Undo(t.Context())
	require.NoError(t, err)
	is(own, "main")

	other := w.delivery() // an unfinished delivery of this version takes precedence
	other.State, other.Shared = own, shared
	for _, d := range []*delivery.Delivery{w.delivery(), other} {
		_, err = d.Run(t.Context())
		require.Error(t, err)
		w.git("checkout", "-q", ".")
	}
	is(own, "main")
}

// Results that existed before count as done, and a push that has started is never reported as undoable.
func TestUnfinishedDeliveryWithEarlierResults(t *testing.T) {
	w := newWorld(t)
	gitrepotest.Hook(t, w.bare, "update", "exit 1")
	_, err := w.delivery().Run(t.Context())
	require.Error(t, err)
	d, err := begun.Unfinished(w.delivery().State, w.delivery().State)
	require.NoError(t, err)
	require.Equal(t, []string{"a pushed commit stays, and can be reverted with `git revert`"}, d.TakenBack)
	require.Equal(t, "commit", d.Done[len(d.Done)-1])
	require.NoError(t, os.Remove(filepath.Join(w.bare, "hooks/update")))
	w.git("push", "-q", "origin", "main") // as a user might do manually
	w.put("image-"+w.git("rev-parse", "HEAD"), "it is there")
	w.broken = "staging"
	_, err = w.delivery().Run(t.Context())
	require.Error(t, err)
	d, err = begun.Unfinished(w.delivery().State, w.delivery().State)
	require.NoError(t, err)
	require.Subset(t, d.Done, []string{"commit", "push", "image"})
	require.Contains(t, d.TakenBack, "the image stays in the registry")
}
