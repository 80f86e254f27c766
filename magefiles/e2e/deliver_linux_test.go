package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// imagesByCI builds an image of each commit on the remote's main, like a CI, until the test ends.
func imagesByCI(t *testing.T, bare string, push func(commit string) error) {
	over, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(over); <-ended })
	go func() {
		defer close(ended)
		made := map[string]bool{}
		for {
			select {
			case <-over:
				return
			case <-time.After(100 * time.Millisecond):
			}
			data, _ := os.ReadFile(filepath.Join(bare, "refs", "heads", "main")) // the file does not exist before the first push
			commit := strings.TrimSpace(string(data))
			if commit == "" || made[commit] {
				continue
			}
			made[commit] = true
			if err := push(commit); err != nil {
				panic(err)
			}
		}
	}()
}

// One command delivers a version to staging and production. It is killed at several points and resumed.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w := startDeploying(t, 2, 18183)
	file := filepath.Join(w.root, "app", "pixi.toml")
	text := strings.Replace(readFile(t, file), "[tool.image]\n", "[tool.image]\npublish = \"ci\"\n", 1)
	_, staging, _ := strings.Cut(text, "[tool.deploy.staging]\n")
	production := strings.Replace(staging, "18183", "18184", 1)
	write(t, w.root, "app/pixi.toml", text+"[tool.deploy.production]\nafter = \"staging\"\n"+production)
	git(t, w.root, "config", "user.name", "a")
	git(t, w.root, "config", "user.email", "a@example.invalid")
	git(t, w.root, "commit", "-qam", "feat: environments")
	bare := filepath.Join(t.TempDir(), "origin.git")
	git(t, w.root, "clone", "-q", "--bare", w.root, bare)
	git(t, w.root, "remote", "add", "origin", bare)
	imagesByCI(t, bare, func(commit string) error {
		from, err := name.NewDigest(w.registry + "/team/app@" + w.push(commit, false))
		if err != nil {
			return err
		}
		index, err := remote.Index(from)
		if err != nil {
			return err
		}
		return remote.Tag(from.Context().Tag(image.RevisionTag(commit)), index)
	})
	asks(t, 0, map[string]question{
		"setup, no":     {[]string{"deploy:setup", "-env=staging"}, "Do this on 2 hosts? [y/N] ", "n\n", "n", 3, no},
		"setup, Ctrl-C": {[]string{"deploy:setup", "-env=staging"}, "Do this on 2 hosts? [y/N] ", "\x03", "^C", 130, interrupted},
	}, w.terminal)
	for _, e := range []string{"staging", "production"} {
		w.must("deploy:setup", "-env="+e, "-yes")
	}

	out, state := w.mage("deliver", "-to=1.3.0")
	require.Equal(t, 3, state.ExitCode(), out)
	require.Contains(t, out, "there is no terminal to ask at")
	asks(t, 0, map[string]question{
		"deliver, no":     {[]string{"deliver", "-to=1.3.0"}, "Deliver app/1.3.0? [y/N] ", "n\n", "n", 3, no},
		"deliver, Ctrl-C": {[]string{"deliver", "-to=1.3.0"}, "Deliver app/1.3.0? [y/N] ", "\x03", "^C", 130, interrupted},
	}, w.terminal)
	require.Empty(t, git(t, w.root, "status", "--porcelain"))
	out, state = w.mage("deliver", "-until=test", "-yes")
	require.Equal(t, 2, state.ExitCode(), out)
	require.Contains(t, out, "use one of staging, production")
	for to, says := range map[string]string{"foo": "→ pass a version, such as -to=0.2.0, or omit -to for the newest", "v1.3.0": "→ pass -to=1.3.0", "2": "→ pass -to=2.0.0"} {
		out, state = w.mage("deliver", "-to="+to, "-yes")
		require.Equal(t, 2, state.ExitCode(), out)
		require.Contains(t, out, says+"\n")
	}
	out, state = w.mage("deploy:to", "staging", "-digest=sha256:"+strings.Repeat("0", 64), "-yes")
	require.Equal(t, 1, state.ExitCode(), out)
	require.Contains(t, out, "the registry has no ")
	require.Contains(t, out, "pass a digest that the registry has")

	for _, requests := range []int64{40, 150, 300} {
		w.moment.Store(w.requests.Load() + requests)
		if out, state = w.mage("deliver", "-to=1.3.0", "-yes", "-wait=3m"); state.Success() {
			break
		}
		require.Equal(t, syscall.SIGKILL, state.Sys().(syscall.WaitStatus).Signal(), out)
		w.moment.Store(0)
		require.Contains(t, w.must("status"), "a delivery of app to staging, then production is unfinished: ")
		said, _ := w.mage("undo")
		require.Contains(t, said, "`mage deliver -undo` undoes the delivery: ")
	}
	w.moment.Store(0)
	out = w.must("deliver", "-to=1.3.0", "-yes", "-wait=3m")
	require.Contains(t, readFile(t, file), `base-lib = "==1.3.0"`)
	commit := strings.TrimSpace(git(t, w.root, "rev-parse", "HEAD"))
	require.Equal(t, []string{commit, commit}, w.runs(), out)
	require.Equal(t, "app: take base-lib 1.3.0", strings.TrimSpace(git(t, w.root, "log", "-1", "--format=%s")))
	require.Equal(t, "3", strings.TrimSpace(git(t, w.root, "rev-list", "--count", "main")))
	require.Equal(t, commit, strings.TrimSpace(git(t, bare, "rev-parse", "main")))
	require.Contains(t, w.must("deploy:status", "-env=production"), commit[:12])
	require.Contains(t, w.must("deliver", "-to=1.3.0", "-yes"), "app is delivered already")
	require.Contains(t, w.must("deliver", "-status"), "app/1.3.0: delivered")

	w.approval(commit)
	w.must("deploy:to", "production", "-yes") // the image that is running on staging
	out, state = w.mage("deploy:to", "production", "-digest="+w.push("5555", false), "-yes")
	require.Equal(t, 3, state.ExitCode(), out)
	require.Contains(t, out, "but the plan deploys ")
}

// approval removes production and then delivers to production again. If the user answers "no" or types Ctrl-C before production, the program must not
// claim that nothing was changed.
func (w *deploying) approval(commit string) {
	w.t.Helper()
	w.must("deploy:remove", "-env=production", "-yes")
	w.must("deploy:setup", "-env=production", "-yes")
	terminal := ptytest.StartAt(w.t, 80, w.terminal("deliver", "-to=1.3.0"))
	terminal.Expect("Deliver app/" + commit[:12] + "? [y/N] ")
	terminal.Type("y\n")
	terminal.Expect("Deploy to production what runs on staging (")
	terminal.Type("n\n")
	said, code := terminal.End()
	require.Equal(w.t, 3, code, said)
	digest := regexp.MustCompile(`staging \(([0-9a-f]{12})\)`).FindStringSubmatch(said)[1]
	asked, takes := "Deploy to production what runs on staging ("+digest+")? [y/N] ", "Undo app/"+commit[:12]+"? [y/N] "
	out, state := w.mage("deliver", "-to=1.3.0")
	require.Equal(w.t, 3, state.ExitCode(), out)
	require.Contains(w.t, out, "not deployed to production: there is no terminal to ask at, and no -yes; staging runs "+digest+"\n→ run `mage deliver -yes` to continue the delivery")
	notDeployed := []string{"not deployed to production: you said no; staging runs " + digest, "→ run `mage deliver` to continue the delivery, or `mage deliver -undo` to undo the delivery"}
	asks(w.t, 0, map[string]question{
		"approval, no":          {[]string{"deliver", "-to=1.3.0"}, asked, "n\n", "n", 3, notDeployed},
		"approval, Ctrl-C":      {[]string{"deliver", "-to=1.3.0"}, asked, "\x03", "^C", 130, []string{"Error: stopped by a signal (interrupt), at a safe point", "→ `mage deliver` continues from here"}},
		"deliver -undo, no":     {[]string{"deliver", "-undo"}, takes, "n\n", "n", 3, no},
		"deliver -undo, Ctrl-C": {[]string{"deliver", "-undo"}, takes, "\x03", "^C", 130, interrupted},
	}, w.terminal)
	require.Contains(w.t, w.must("deliver", "-to=1.3.0", "-yes"), "is delivered: it runs in staging, production")
}
