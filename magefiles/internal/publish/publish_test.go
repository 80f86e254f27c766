package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const key = "pfx_secret_of_the_publish_test"

// load writes a workspace and loads it. needs maps each package to its dependencies.
func load(t testing.TB, needs map[string][]string) *workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write("pixi.toml", "[workspace]\nname = \"w\"\nchannels = [\"https://prefix.dev/conda-forge\"]\nplatforms = [\"linux-64\"]\n")
	for name, others := range needs {
		text := fmt.Sprintf("[package]\nname = %q\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n[package.run-dependencies]\n", name)
		for _, o := range others {
			text += o + " = \"==1.0\"\n"
		}
		write(name+"/pixi.toml", text)
		write(name+"/pyproject.toml", fmt.Sprintf("[project]\nname = %q\nversion = \"1.0\"\n", name))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w
}

// builder is a toolchain that builds artifacts that match the manifests.
type builder struct {
	toolchain.Toolchain
	extra map[string]any // additional fields of index.json
	built []string
	files map[string]string // files of each package; nil for a Python module

	version string // version of the tools
	varies  bool   // whether builds are not reproducible
}

func (b *builder) Build(_ context.Context, r toolchain.Build) ([]toolchain.Artifact, error) {
	var all []toolchain.Artifact
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return nil, err
	}
	for _, p := range r.Packages {
		path := filepath.Join(r.Dir, p.Name+"-1.0-pyh4616a5c_0.conda")
		var depends []string
		for _, d := range toolchain.ExpectedDepends(p, "") {
			depends = append(depends, d.Spec)
		}
		extra := map[string]any{"depends": append([]string{}, depends...), "timestamp": r.SourceDate.UnixMilli()}
		for k, v := range b.extra {
			extra[k] = v
		}
		data, err := archive(condapkgtest.Package{Name: p.Name, Extra: extra, Files: b.files})
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return nil, err
		}
		a, err := toolchain.Check(r.Workspace, p, path)
		if err != nil {
			return nil, err
		}
		b.built = append(b.built, p.Name)
		all = append(all, a)
	}
	return all, nil
}

func (b *builder) BuiltWith(context.Context, *workspace.Package) (string, error) {
	return "a builder " + b.version, nil
}

func (b *builder) Reproducible() bool { return !b.varies }

func archive(p condapkgtest.Package) ([]byte, error) {
	var b strings.Builder
	err := condapkg.Write(&b, p.Container())
	return []byte(b.String()), err
}

// site is an embedded prefix.dev whose index is out of date: each form of the index shows its old state for the next `lag` requests.
type site struct {
	url   string
	store *store.Store

	mu      sync.Mutex
	lag     int // how many requests get the old index; -1 for all
	old     map[string]*httptest.ResponseRecorder
	asked   map[string]int
	missing map[string]bool // files that are answered with 404
	silent  map[string]bool // files whose requests are never answered
}

func start(t testing.TB) *site {
	t.Helper()
	s, err := store.Open(t.TempDir())
	require.NoError(t, err)
	c := &site{store: s, old: map[string]*httptest.ResponseRecorder{}, asked: map[string]int{}, missing: map[string]bool{}}
	next := server.New(s, server.Options{Authorize: channeltest.APIKey(key), Spool: s.Incoming()})
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, next) }))
	c.url = h.URL
	t.Cleanup(func() {
		h.Close()
		require.NoError(t, s.Close())
	})
	return c
}

func (c *site) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	file := filepath.Base(r.URL.Path)
	c.mu.Lock()
	if c.silent[file] {
		c.mu.Unlock()
		<-r.Context().Done()
		return
	}
	if c.missing[file] {
		c.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	if !strings.HasPrefix(file, "repodata") {
		c.mu.Unlock()
		next.ServeHTTP(w, r)
		return
	}
	defer c.mu.Unlock()
	c.asked[r.URL.Path]++
	rec := c.old[r.URL.Path]
	if rec == nil || c.lag >= 0 && c.asked[r.URL.Path] > c.lag {
		rec = httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		c.old[r.URL.Path], c.asked[r.URL.Path] = rec, 0
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

func (c *site) channel(t testing.TB) *prefixdev.Channel {
	t.Helper()
	client, err := prefixdev.New(prefixdev.Options{Server: c.url, Token: key})
	require.NoError(t, err)
	ours, err := client.Channel("ours")
	require.NoError(t, err)
	return ours
}

// clock is a clock for tests. Waiting returns at once and moves the clock forward.
type clock struct{ now time.Time }

func (c *clock) wait(most time.Duration) pause.Wait {
	return pause.Wait{
		For: most,
		Now: func() time.Time { return c.now },
		Pause: func(ctx context.Context, d time.Duration) error {
			c.now = c.now.Add(d)
			return ctx.Err()
		},
	}
}

func newPublisher(t testing.TB, w *workspace.Workspace, c *prefixdev.Channel) (*publish.Publisher, *builder) {
	t.Helper()
	b := &builder{}
	return &publish.Publisher{
		Workspace: w,
		Channel:   c,
		Tools:     b,
		Output:    filepath.Join(w.Root, "output"),
		Scratch:   t.TempDir(),
		Date:      time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
		Wait:      (&clock{}).wait(time.Hour),
		Origin:    publish.Origin{Commit: "c1", Tree: "t1"},
		Builds:    &provenance.Store{Dir: t.TempDir()},
	}, b
}

// plan reads the channel, builds the missing packages, and returns the prepared delivery.
func plan(t testing.TB, p *publish.Publisher) (publish.Delivery, error) {
	t.Helper()
	h, err := publish.Look(t.Context(), p.Channel, p.Workspace.Packages)
	require.NoError(t, err)
	ready, _, err := p.Ready(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.Build(t.Context(), p.Missing(h, ready), ready))
	return p.Prepare(t.Context(), h, ready)
}

// recorded writes a build record for a file, as if it had been built here.
func recorded(t testing.TB, p *publish.Publisher, file string) {
	t.Helper()
	have, err := condapkg.Identify(file)
	require.NoError(t, err)
	require.NoError(t, p.Record(t.Context(), toolchain.Artifact{Package: have.Name, Path: file, SHA256: have.SHA256}))
}

func states(p publish.Delivery) map[string]publish.State {
	m := map[string]publish.State{}
	for _, i := range p.Items {
		m[i.Package] = i.State
	}
	return m
}

var diamond = map[string][]string{"base": nil, "left": {"base"}, "right": {"base"}, "top": {"left", "right"}}

// watcher checks, before each upload, that a solver would find the dependencies of the package.
type watcher struct {
	publish.Destination
	needs map[string][]string
	mu    sync.Mutex
	order []string
	wrong []string
}

func (w *watcher) Put(ctx context.Context, u channel.Upload) (channel.Receipt, error) {
	name := u.Record.Name
	for _, need := range w.needs[name] {
		for _, form := range w.Forms(ctx, "noarch", need) {
			if len(form.Records) != 1 {
				w.mu.Lock()
				w.wrong = append(w.wrong, name+" was sent before "+need+" was in "+form.Name)
				w.mu.Unlock()
			}
		}
	}
	w.mu.Lock()
	w.order = append(w.order, name)
	w.mu.Unlock()
	return w.Destination.Put(ctx, u)
}

// A level is sent only after every form of the index shows the lower levels, no matter how late the index is.
func TestLevelsAreSentInOrder(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, diamond), c)
	_, err := site.store.Create(t.Context(), "ours")
	require.NoError(t, err)
	site.lag = 5
	made, err := plan(t, p)
	require.NoError(t, err)
	w := &watcher{Destination: c, needs: diamond}
	p.Channel = w
	evidence, err := p.Upload(t.Context(), made)
	require.NoError(t, err)
	require.Empty(t, w.wrong)
	require.Equal(t, "base", w.order[0])
	require.Equal(t, "top", w.order[3])
	require.Contains(t, evidence, "4 of 4 artifacts")
	require.Contains(t, evidence, "in 3 levels")

	seen, err := publish.Visible(t.Context(), c, made.Records(), p.Wait)
	require.NoError(t, err)
	require.Equal(t, "4 files with sha256, in repodata.json, repodata.json.zst, repodata_shards.msgpack.zst", seen)
	again, err := plan(t, p)
	require.NoError(t, err)
	require.Equal(t, map[string]publish.State{"base": "there", "left": "there", "right": "there", "top": "there"}, states(again))
}

// Each level is sent with a fresh credential, because the previous one may have expired during the wait for the index.
func TestTheCredentialIsRenewedForEachLevel(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, diamond), c)
	made, err := plan(t, p)
	require.NoError(t, err)
	renewed, says, slow, token := 0, error(nil), time.Now(), prefixdev.Token(key)
	k := prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) {
		renewed++
		return prefixdev.Credential{Token: token, Minted: true}, says
	})
	k.Now = func() time.Time {
		slow = slow.Add(61 * time.Second)
		return slow
	}
	c.Use(k)
	p.Parallel = 1
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err)
	require.GreaterOrEqual(t, renewed, 3)
	says = errors.New("the ID token was used before")
	made.Items[3].State = publish.Replace
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err, "the held credential is valid")
	token, says = "pfx_that_has_ended", nil
	_, err = p.Upload(t.Context(), made)
	require.ErrorIs(t, err, channel.ErrUnauthorized)
	says = errors.New("the ID token was used before")
	_, err = p.Upload(t.Context(), made)
	require.ErrorIs(t, err, channel.ErrUnauthorized)
	require.ErrorContains(t, err, "no new credential was found: the ID token was used before")
}

// After a timeout, the error lists what each form of the index showed at which time. The next run continues to wait.
func TestAnIndexThatNeverShowsIt(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, diamond), c)
	_, err := site.store.Create(t.Context(), "ours")
	require.NoError(t, err)
	p.Wait = (&clock{time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}).wait(3 * time.Minute)
	site.lag = -1
	c.Forms(t.Context(), "noarch", "base") // from now on the site serves this index
	made, err := plan(t, p)
	require.NoError(t, err)
	_, err = p.Upload(t.Context(), made)
	require.ErrorContains(t, err, "does not show everything after 3m00s: noarch/base-1.0-pyh4616a5c_0.conda in repodata.json: the file is not listed")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))
	said := fmt.Sprintf("%+v", err)
	for _, form := range []string{"repodata.json", "repodata.json.zst", "repodata_shards.msgpack.zst"} {
		require.Contains(t, said, "03:03:00Z  noarch/base-1.0-pyh4616a5c_0.conda  "+form+": the file is not listed")
	}
	require.Contains(t, said, "it continues to wait")

	site.lag = 2
	made, err = plan(t, p)
	require.NoError(t, err)
	require.Equal(t, publish.There, states(made)["base"], "found by the file itself, regardless of the index")
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err)
}

func TestVisible(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), c)
	made, err := plan(t, p)
	require.NoError(t, err)
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err)
	look := func(missing ...string) (string, error) {
		site.mu.Lock()
		site.missing = map[string]bool{}
		for _, m := range missing {
			site.missing[m] = true
		}
		site.mu.Unlock()
		return publish.Visible(t.Context(), c, made.Records(), (&clock{}).wait(time.Minute))
	}
	seen, err := look("repodata_shards.msgpack.zst")
	require.NoError(t, err, "a channel without shards is read by repodata.json")
	require.Equal(t, "1 file with sha256, in repodata.json, repodata.json.zst", seen)
	_, err = look("repodata.json.zst")
	require.NoError(t, err)
	_, err = look("repodata.json", "repodata.json.zst")
	require.ErrorContains(t, err, "does not show everything", "clients that remember that there were no shards find nothing")

	_, err = look()
	require.NoError(t, err)
	other := made.Records()
	other[0].SHA256 = strings.Repeat("0", 64)
	_, err = publish.Visible(t.Context(), c, other, (&clock{}).wait(time.Minute))
	require.ErrorContains(t, err, "it has sha256 "+made.Records()[0].SHA256+", but 000")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped by a person"))
	_, err = publish.Visible(ctx, c, other, pause.Wait{})
	require.ErrorContains(t, err, "stopped by a person")
}

// The timeout also applies if the server accepts requests and never responds. The error has what the other forms showed.
func TestAnIndexThatNeverAnswers(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), c)
	made, err := plan(t, p)
	require.NoError(t, err)
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err)
	site.mu.Lock()
	site.silent = map[string]bool{"repodata_shards.msgpack.zst": true}
	site.mu.Unlock()
	_, err = publish.Visible(t.Context(), c, made.Records(), pause.Wait{For: time.Second, Look: 500 * time.Millisecond})
	said := fmt.Sprintf("%+v", err)
	require.Contains(t, said, "repodata_shards.msgpack.zst: it cannot be read")
	require.Contains(t, said, "repodata.json: it has our sha256")
}

// faulty is a channel that uploads through another channel.
type faulty struct {
	publish.Destination
	by channel.Channel
}

func (f faulty) Put(ctx context.Context, u channel.Upload) (channel.Receipt, error) {
	return f.by.Put(ctx, u)
}

// If the channel refused every file, nothing was uploaded, and the journal records this. If a file was accepted, or a response is missing, the
// journal records nothing.
func TestJournalOfAFailedUpload(t *testing.T) {
	gone := errors.New("the machine is gone")
	for name, c := range map[string]struct {
		fails   map[string]error // errors for files whose names begin with the key
		refused bool
	}{
		"no channel":                          {map[string]error{"": channel.ErrNotFound}, true},
		"the key has no permission":           {map[string]error{"": channel.ErrForbidden}, true},
		"no answer":                           {map[string]error{"": gone}, false},
		"no answer, and no permission to ask": {map[string]error{"": fmt.Errorf("%w; %w: %w", gone, channel.ErrMayBeThere, channel.ErrForbidden)}, false},
		"uploaded, and no permission to ask":  {map[string]error{"": fmt.Errorf("%w; asking: %w", channel.ErrExists, channel.ErrForbidden)}, false},
		"refused after the first upload":      {map[string]error{"left": channel.ErrForbidden}, false},
		"refused after the first level":       {map[string]error{"left": channel.ErrForbidden, "right": channel.ErrForbidden}, false},
		"no answer after the first level":     {map[string]error{"top": gone}, false},
	} {
		t.Run(name, func(t *testing.T) {
			site := start(t)
			ours := site.channel(t)
			p, _ := newPublisher(t, load(t, diamond), ours)
			made, err := plan(t, p)
			require.NoError(t, err)
			p.Channel = faulty{
				Destination: ours,
				by: channeltest.Faulty(ours, func(x channeltest.Call) error {
					for file, err := range c.fails {
						if x.Op == channeltest.OpPut && strings.HasPrefix(x.File, file) {
							return err
						}
					}
					return nil
				}),
			}
			_, err = p.Upload(t.Context(), made)
			require.Error(t, err)
			var refused *publish.RefusedError
			require.Equal(t, c.refused, errors.As(err, &refused))
			if c.refused {
				require.Equal(t, publish.Refusal{Refused: true}, refused.Kept())
			}
		})
	}
}

// Another machine, without artifacts, can complete an interrupted release: it keeps the channel's files and builds the others.
func TestInterruptedReleaseIsCompletedElsewhere(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	here, _ := newPublisher(t, load(t, diamond), c)
	made, err := plan(t, here)
	require.NoError(t, err)
	here.Channel = faulty{
		Destination: c,
		by: channeltest.Faulty(c, func(x channeltest.Call) error {
			if x.Op == channeltest.OpPut && !strings.HasPrefix(x.File, "base") && !strings.HasPrefix(x.File, "left") {
				return errors.New("the machine is gone")
			}
			return nil
		}),
	}
	_, err = here.Upload(t.Context(), made)
	require.ErrorContains(t, err, "the machine is gone")

	there, b := newPublisher(t, load(t, diamond), c)
	there.Date = there.Date.Add(time.Hour) // other bytes, as in every build with pixi
	made, err = plan(t, there)
	require.NoError(t, err)
	require.Equal(t, map[string]publish.State{"base": "kept", "left": "kept", "right": "upload", "top": "upload"}, states(made))
	require.Equal(t, []string{"right", "top"}, b.built)
	_, err = there.Upload(t.Context(), made)
	require.NoError(t, err)
	var v publish.Verified
	require.NoError(t, there.Download(t.Context(), made, &v))
	require.Len(t, v.Files, 4)
}

// Publishing other bytes under an existing file name is a conflict. All conflicts are found before anything is sent.
func TestConflicts(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, b := newPublisher(t, load(t, diamond), c)
	made, err := plan(t, p)
	require.NoError(t, err)
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err)

	require.NoError(t, os.RemoveAll(p.Output))
	b.extra = map[string]any{"license": "MIT"}
	ready := publish.Artifacts{}
	require.NoError(t, p.Build(t.Context(), p.Workspace.Order(), ready))
	h, err := publish.Look(t.Context(), c, p.Workspace.Packages)
	require.NoError(t, err)
	_, err = p.Prepare(t.Context(), h, ready)
	require.ErrorIs(t, err, channel.ErrExists)
	said := fmt.Sprintf("%+v", err)
	require.Contains(t, said, "raise the version")
	for _, name := range []string{"base", "left", "right", "top"} {
		require.Contains(t, said, ready[name].SHA256)
		require.Contains(t, said, h.Records[name][0].SHA256)
	}

	p.Force = true
	made, err = p.Prepare(t.Context(), h, ready)
	require.NoError(t, err)
	require.Equal(t, publish.Replace, states(made)["top"])
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err)
	_, err = publish.Visible(t.Context(), c, made.Records(), p.Wait)
	require.NoError(t, err)
}

// A package on the channel is not kept if its sources changed after it was built.
func TestOldBytesAreNotKeptSilently(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), c)
	made, err := plan(t, p)
	require.NoError(t, err)
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err)

	later := func(context.Context, *workspace.Package) (time.Time, error) { return p.Date, nil }
	p.Sources, p.Date = later, p.Date.Add(time.Hour)
	ready, _, err := p.Ready(t.Context())
	require.NoError(t, err)
	require.Len(t, ready, 1, "a package that was built here from this commit counts, regardless of its time")
	require.NoError(t, os.RemoveAll(p.Output))
	_, err = plan(t, p)
	require.ErrorIs(t, err, channel.ErrExists)
	require.ErrorContains(t, err, "on the channel was built on 2026-01-02 03:04:06, but the sources were changed on 2026-01-02 04:04:06")
}

func TestArtifactsThatAreNotPublished(t *testing.T) {
	w := load(t, map[string][]string{"base": nil, "top": {"base"}})
	site := start(t)
	write := func(p *publish.Publisher, pkg condapkgtest.Package) {
		require.NoError(t, os.RemoveAll(p.Output))
		require.NoError(t, os.MkdirAll(p.Output, 0o755))
		recorded(t, p, pkg.Write(t, p.Output))
	}
	for says, pkg := range map[string]condapkgtest.Package{
		"depends":        {Name: "top", Depends: []string{"python"}},
		"build number":   {Name: "base", Depends: []string{"python"}, Build: "pyh4616a5c_7", Extra: map[string]any{"build_number": 7}},
		"build \"py_1\"": {Name: "base", Depends: []string{"python"}, Build: "py_0", Extra: map[string]any{"build": "py_1", "build_number": 1}},
	} {
		p, _ := newPublisher(t, w, site.channel(t))
		write(p, pkg)
		_, _, err := p.Ready(t.Context())
		require.Error(t, err, says)
		require.Contains(t, fmt.Sprintf("%+v", err), "mage build:package "+pkg.Name, says)
	}
	p, _ := newPublisher(t, w, site.channel(t))
	write(p, condapkgtest.Package{Name: "base", Version: "0.9"})
	ready, _, err := p.Ready(t.Context())
	require.NoError(t, err)
	require.Empty(t, ready, "an older version is left alone")
}

// Downloaded files are compared with the files that were built.
func TestDownloadsAreCompared(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), c)
	made, err := plan(t, p)
	require.NoError(t, err)
	_, err = p.Upload(t.Context(), made)
	require.NoError(t, err)
	other := made
	other.Items = append([]publish.Item{}, made.Items...)
	other.Items[0].Record.Depends = []string{"something else"}
	var v publish.Verified
	require.ErrorContains(t, p.Download(t.Context(), other, &v), `base-1.0-pyh4616a5c_0.conda was downloaded again, and differs from the uploaded file: the field depends is "python`)
	other.Items[0].Record.SHA256 = strings.Repeat("0", 64)
	require.ErrorContains(t, p.Download(t.Context(), other, &v), "the downloaded file has sha256 "+made.Items[0].Record.SHA256)
}

// Imported code is third-party code, so its environment has no credentials.
func TestHostileImportGetsNoCredential(t *testing.T) {
	dir := t.TempDir()
	python := filepath.Join(dir, "python")
	require.NoError(t, os.WriteFile(python, []byte(`#!/bin/sh
env > "$SEEN"
echo '[{"name": "base", "modules": ["base"]}]'
`), 0o755))
	seen := filepath.Join(dir, "seen")
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), start(t).channel(t))
	p.Runner = command.NewSystem([]string{"PATH=" + os.Getenv("PATH"), "SEEN=" + seen, "PREFIX_API_KEY=" + key, "ACTIONS_ID_TOKEN_REQUEST_TOKEN=t", "SSH_AUTH_SOCK=/agent"}, nil)
	file := condapkgtest.Package{Name: "base", Depends: []string{"python"}, Files: map[string]string{"site-packages/base/__init__.py": ""}}.Write(t, dir)
	have, err := condapkg.Identify(file)
	require.NoError(t, err)
	v := publish.Verified{Files: []string{file}, Installed: toolchain.Environment{Python: python}}
	made := publish.Delivery{Items: []publish.Item{{Package: "base", Record: condapkg.Record{Index: have.Index}}}}
	require.NoError(t, p.Import(t.Context(), made, &v))
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	require.Contains(t, string(text), "SEEN=")
	for _, name := range []string{"PREFIX_API_KEY", "ACTIONS_", "SSH_AUTH_SOCK"} {
		require.NotContains(t, string(text), name)
	}
}
