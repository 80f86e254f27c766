// Package targets is the face of the pipeline: Mage targets for any pixi monorepo. A repository gets them by importing
// this package from its magefile:
//
//	//mage:import
//	"github.com/foopack/foopack/magefiles/targets"
//
// A target's body builds the app and makes one call. What the pipeline reads from the environment, and which
// implementation stands behind which interface, is decided in this file and nowhere else.
package targets

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/magefile/mage/mg"
	"golang.org/x/term"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// init begins the program again without credentials in its environment, before anything is started that could read them there.
// It is as far as a process can go by itself: what began us, and files of the person, stay readable.
func init() {
	handed, _ := command.Reenter(os.Environ()) // where it cannot be done, all works as well
	if os.Unsetenv(command.HandedOver) != nil {
		return
	}
	for _, kv := range handed {
		name, value, _ := strings.Cut(kv, "=")
		_ = os.Setenv(name, value) // it was one before
	}
}

// secretVariables are the environment variables whose values no child may print.
var secretVariables = []string{"PREFIX_API_KEY", "GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}

// cacheName is the folder in the user's cache folder that holds what the toolchains install for themselves.
const cacheName = "pixi-release"

// namedVariables name something that is given to a program or to a server: none of them can be an option.
var namedVariables = []string{
	"BASE_IMAGE", "BUILDKIT_HOST", "BUILDKIT_SBOM_GENERATOR", "BUILDX_BUILDER", "CI_COMMIT_TAG", "DOCKER_CONTEXT", "DOCKER_HOST", "GITHUB_API_URL", "GITHUB_REF_NAME", "GITHUB_REPOSITORY",
	"IMAGE_REGISTRY", "PIPELINE_TOOLCHAIN", "PIXI_CONFIG", "PIXI_IMAGE", "PREFIX_CHANNEL", "PREFIX_SERVER_URL", "RATTLER_AUTH_FILE",
}

// noOptions refuses variables whose value begins with a dash.
func noOptions(getenv func(string) string) error {
	for _, name := range namedVariables {
		if strings.HasPrefix(getenv(name), "-") {
			return operr.NewUsage("correct it, or unset it", "%s cannot be %q: it begins with a dash, as options do", name, getenv(name))
		}
	}
	return nil
}

// app is what a target works with.
type app struct {
	dir    string // where we were started
	view   *view.View
	runner *command.System

	channels *channels
	silence  command.Silence // what is done about children that say nothing

	uploads   bool // this run sends what it builds
	publishes bool // this run may publish, and so ask a CI for an ID token
}

// run builds the app, gives it a context that ends with the process's reason to live, and makes what f returns an error
// that Mage prints and exits with as it should.
func run(ctx context.Context, f func(ctx context.Context, a *app) error) error {
	debug.SetGCPercent(400) // a target is short-lived: it may take four times its live memory before it tidies up
	ctx, stop := lifetime(ctx)
	defer stop()
	dir, err := os.Getwd()
	if err == nil {
		err = noOptions(os.Getenv)
	}
	a := &app{dir: dir, view: newView(), runner: newRunner(), channels: &channels{}}
	if err == nil {
		err = a.watch(os.Getenv("PIPELINE_SILENCE"))
	}
	if err == nil {
		err = f(ctx, a)
	}
	if err == nil {
		return nil
	}
	err = around(dir).Explain(err)
	var told *operr.Error
	if cause := context.Cause(ctx); cause != nil && (!errors.As(err, &told) || told.Next == "" || !errors.Is(err, cause)) {
		err = operr.New("nothing is left half-way; run it again when you like", "%w", cause)
	}
	return plain(err)
}

// around are the folders of this process, which was started in dir.
func around(dir string) folders.Process {
	s := folders.Process{Checkout: folders.Checkout(dir), Temporary: os.TempDir()}
	if cache, err := os.UserCacheDir(); err == nil {
		s.Cache = filepath.Join(cache, cacheName)
	}
	s.Home, _ = os.UserHomeDir()
	return s
}

// plain is what people are shown of an error: its words, which may be a server's, a file's or a child's, as text, and without
// secrets. It has no other error in it, whose detail or cure would be shown as they are.
func plain(err error) *operr.Error {
	e := operr.Error{
		Summary: err.Error(),
		Detail:  operr.DetailOf(err),
		Next:    operr.NextOf(err),
		Status:  operr.ExitStatus(err),
	}
	hidden := secrets()
	for _, text := range []*string{&e.Summary, &e.Detail, &e.Next} {
		*text = view.Plain(command.Redact(*text, hidden...))
	}
	return &e
}

// runJob is run for a function that other targets depend on. Mage joins the errors of dependencies to one text, in which
// details and next steps would be lost, so they are said at once.
func runJob(ctx context.Context, f func(ctx context.Context, a *app) error) error {
	err := run(ctx, f)
	var told *operr.Error
	if errors.As(err, &told) && (told.Detail != "" || told.Next != "") {
		newView().Say("%+v", told)
	}
	return err
}

func newView() *view.View {
	terminal := terminal(os.Stdout) && terminal(os.Stderr)
	return &view.View{
		Out:     command.Mask(os.Stdout, secrets()...),
		Err:     command.Mask(os.Stderr, secrets()...),
		Color:   terminal && colors(os.LookupEnv),
		Actions: os.Getenv("GITHUB_ACTIONS") == "true",
		Verbose: mg.Verbose(),
		Width:   width,
	}
}

// width is that of the terminal, in columns.
func width() int {
	columns, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || columns < 20 {
		return 80
	}
	return columns
}

// colors says whether whoever looks at a terminal of ours wants escape sequences: not where NO_COLOR is set, in a CI, and on a
// terminal that says that it has none (TERM=dumb, as in a shell of Emacs).
func colors(lookup func(string) (string, bool)) bool {
	_, plain := lookup("NO_COLOR")
	ci, _ := lookup("CI")
	kind, _ := lookup("TERM")
	return !plain && ci == "" && kind != "dumb"
}

// secrets are what no person is shown.
func secrets() []string {
	var all []string
	for _, name := range secretVariables {
		all = append(all, os.Getenv(name))
	}
	return all
}

// newRunner runs children in our environment, with the variables given set in it.
func newRunner(variables ...string) *command.System {
	s := command.NewSystem(command.Setenv(os.Environ(), variables...), secrets())
	if os.Getenv("CI") == "" && terminal(os.Stdin) && terminal(os.Stderr) {
		s.At(command.Terminal{Show: view.Child(os.Stderr, colors(os.LookupEnv)), Hold: view.Hold})
	}
	return s
}

// withTemporary is the app with children that keep their temporary files in dir.
func (a *app) withTemporary(dir string) *app {
	inside := *a
	inside.runner = newRunner("TMPDIR=" + dir)
	inside.runner.Watch(a.silence)
	return &inside
}

// publicServer is where what manifests name on the public server is read from: PREFIX_SERVER_URL, or "" for itself.
func publicServer() string { return os.Getenv("PREFIX_SERVER_URL") }

func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// today is the date that a changelog bears: SOURCE_DATE_EPOCH's, or the clock's, in UTC.
func today() string {
	now := time.Now()
	if t, err := epoch(); err == nil && !t.IsZero() {
		now = t
	}
	return now.UTC().Format(time.DateOnly)
}

// lastSecond is the last one whose year has four digits, as every format of a date wants it.
const lastSecond = 253402300799

// epoch reads SOURCE_DATE_EPOCH; the zero time where it is not set.
func epoch() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, nil
	}
	const next = "set it to whole seconds since 1970, or leave it unset"
	seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	switch {
	case err != nil || seconds < 0:
		return time.Time{}, operr.NewUsage(next, "SOURCE_DATE_EPOCH=%q is not a time", text)
	case seconds > lastSecond:
		return time.Time{}, operr.NewUsage(next, "SOURCE_DATE_EPOCH=%q is after the year 9999: seconds are meant, and not parts of one", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// workspace reads the monorepo that we were started in.
func (a *app) workspace() (*workspace.Workspace, error) { return workspace.Load(a.dir) }

// toolchain picks one and says which it is.
func (a *app) toolchain(ctx context.Context, w *workspace.Workspace) (toolchain.Toolchain, error) {
	t, err := a.pick(ctx, w, "")
	if err != nil {
		return nil, err
	}
	what, err := t.Describe(ctx)
	if err != nil {
		return nil, err
	}
	a.view.Once("toolchain: " + what)
	return t, nil
}

// pick takes pixi when it is on PATH and the embedded toolchain otherwise, or the one that PIPELINE_TOOLCHAIN asks for.
// Environments of the embedded one lie below the given folder, or beside their manifests where it is "".
func (a *app) pick(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error) {
	if err := a.checkOwn(ctx, w); err != nil {
		return nil, err
	}
	if err := around(a.dir).CheckTemporary(); err != nil {
		return nil, err
	}
	cache, err := a.cache()
	if err != nil {
		return nil, err
	}
	env := a.runner.Environ()
	switch choice := os.Getenv("PIPELINE_TOOLCHAIN"); choice {
	case "pixi":
		p, err := a.pixi(ctx, cache)
		if err != nil {
			return nil, err
		}
		return p.Pass(w).Keep(a.keptFromPixi()...), nil
	case "embedded", "":
		if _, err := command.LookPath("pixi", env); err == nil && choice == "" {
			p, err := pixi.Find(ctx, a.runner, env)
			if err != nil {
				return nil, err
			}
			return p.Pass(w).Keep(a.keptFromPixi()...), nil
		}
		return a.embedded(w, cache, environments), nil
	default:
		return nil, operr.NewUsage("set PIPELINE_TOOLCHAIN to pixi or embedded, or leave it unset", "PIPELINE_TOOLCHAIN=%s names no toolchain", choice)
	}
}

// pythonPlaces are where uv, pyenv and the runners of a CI keep Pythons.
func pythonPlaces() embedded.Places {
	p := embedded.Places{Tools: []string{os.Getenv("RUNNER_TOOL_CACHE"), os.Getenv("AGENT_TOOLSDIRECTORY")}}
	data := os.Getenv("XDG_DATA_HOME")
	if home, err := os.UserHomeDir(); err == nil {
		p.Pyenv = filepath.Join(home, ".pyenv", "versions")
		data = cmp.Or(data, filepath.Join(home, ".local", "share"))
	}
	if p.UV = os.Getenv("UV_PYTHON_INSTALL_DIR"); p.UV == "" && data != "" {
		p.UV = filepath.Join(data, "uv", "python")
	}
	return p
}

// newChannelClient reaches the server of our channel: prefix.dev's, or PREFIX_SERVER_URL.
func newChannelClient() (*prefixdev.Client, error) {
	most, err := patience(os.Getenv("PIPELINE_PATIENCE"))
	if err != nil {
		return nil, err
	}
	return prefixdev.New(prefixdev.Options{Server: os.Getenv("PREFIX_SERVER_URL"), Patience: most})
}

// channelName is PREFIX_CHANNEL, or the configured name of our channel, or, on a server of this machine, one made of the
// workspace's name; "" where none of these is there.
func channelName(w *workspace.Workspace) string {
	name := cmp.Or(os.Getenv("PREFIX_CHANNEL"), w.Config.Channel)
	if name != "" {
		return name
	}
	if u, err := url.Parse(os.Getenv("PREFIX_SERVER_URL")); err == nil && httpclient.Loopback(u.Hostname()) {
		return w.EmbeddedChannel()
	}
	return ""
}

// channelFrom is where the name of our channel was said.
func channelFrom(w *workspace.Workspace) string {
	if os.Getenv("PREFIX_CHANNEL") != "" {
		return "PREFIX_CHANNEL"
	}
	return "[tool.release] channel of " + w.Manifest.Path
}

// runOfCI names the run of a CI that we are in, of which several jobs are parts; "" outside of one.
func runOfCI() string {
	switch {
	case os.Getenv("GITHUB_ACTIONS") == "true":
		return os.Getenv("GITHUB_RUN_ID")
	case os.Getenv("GITLAB_CI") == "true":
		return os.Getenv("CI_PIPELINE_ID")
	}
	return ""
}

// jobOutput is the file for the outputs of a job of GitHub's; "" elsewhere.
func jobOutput() string {
	if os.Getenv("GITHUB_ACTIONS") != "true" {
		return ""
	}
	return os.Getenv("GITHUB_OUTPUT")
}

// tagOfRun is the tag that started the run of a CI that we are in, GitHub's (and Gitea's) or GitLab's; "" where it was something else.
func tagOfRun() string {
	if os.Getenv("GITLAB_CI") == "true" {
		return os.Getenv("CI_COMMIT_TAG")
	}
	if os.Getenv("GITHUB_REF_TYPE") != "tag" {
		return ""
	}
	return os.Getenv("GITHUB_REF_NAME")
}

// pycache is where Python's byte code is kept: PYTHONPYCACHEPREFIX, which an isolated interpreter does not read by itself.
func pycache() string { return os.Getenv("PYTHONPYCACHEPREFIX") }

// readable are the credentials that code of the repository could read on this machine.
func readable() []string {
	home, _ := os.UserHomeDir()
	return command.Readable(home, os.Environ())
}

// fetching are the variables of an environment by which packages are fetched, and that hold a credential.
func fetching(environ []string) []string {
	_, all := command.Withhold(environ)
	return slices.DeleteFunc(all, func(name string) bool { return !command.Fetches(name) })
}

// uploadKey says that the key for our server in RATTLER_AUTH_FILE is known to be able to write: it is the one that this run uploads with.
func (a *app) uploadKey() bool {
	file, by := os.Getenv(authFile), credentialSources()
	client, err := newChannelClient()
	if file == "" || err != nil {
		return false
	}
	key := string(prefixdev.KeyOf(file, client))
	return key != "" && (key == by.APIKey || a.uploads && by.APIKey == "" && by.CI == nil)
}

// keptFromPixi are the variables by which pixi fetches packages, and which build backends must not run beside: RATTLER_AUTH_FILE, where its
// key is known to be able to write. It is said once.
func (a *app) keptFromPixi() []string {
	if !a.uploadKey() {
		return nil
	}
	a.view.Once(authFile + " is kept from pixi where it builds: its key uploads, and build backends would run beside it. " +
		"Where a build needs it to read a private channel, let the file have a key that reads only, and PREFIX_API_KEY the one that uploads")
	return []string{authFile}
}

// authFile names a file of keys for the servers of conda channels.
const authFile = "RATTLER_AUTH_FILE"

// apiKey is the key of PREFIX_API_KEY, or "".
func apiKey() string { return os.Getenv("PREFIX_API_KEY") }

// credentialSources are where the credential of our channel may come from: an API key, the CI that runs us, the files that
// the rattler tools keep.
func credentialSources() prefixdev.Sources {
	s := prefixdev.Sources{APIKey: apiKey()}
	if ci := oidc.Detect(os.Getenv, oidc.Options{}); ci != nil {
		s.CI = ci
	}
	if file := os.Getenv("RATTLER_AUTH_FILE"); file != "" {
		s.Files = append(s.Files, file)
	}
	if home, err := os.UserHomeDir(); err == nil {
		s.Files = append(s.Files, filepath.Join(home, ".rattler", "credentials.json"))
	}
	return s
}

// imageEnvironment is what image builds are told by the environment.
func imageEnvironment(w *workspace.Workspace) (imagejob.Settings, error) {
	date, err := epoch()
	return imagejob.Settings{
		Registry:   os.Getenv("IMAGE_REGISTRY"),
		Builder:    os.Getenv("BUILDX_BUILDER"),
		PixiImage:  os.Getenv("PIXI_IMAGE"),
		BaseImage:  os.Getenv("BASE_IMAGE"),
		PixiConfig: os.Getenv("PIXI_CONFIG"),
		AuthFile:   readsWith(),
		SBOM:       os.Getenv("BUILDKIT_SBOM_GENERATOR"),
		Server:     publicServer(),
		Channel:    channelName(w),
		Date:       date,
		IsSet:      func(variable string) bool { return os.Getenv(variable) != "" },
	}, err
}

// readsWith is the file of keys by which channels of others are read; "" where none is named.
func readsWith() string { return os.Getenv(authFile) }

// hub is GitHub, where the remote is there or GITHUB_REPOSITORY says which repository is meant.
func (a *app) hub(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (release.Hub, error) {
	h := release.Hub{Repository: os.Getenv("GITHUB_REPOSITORY"), Token: os.Getenv("GITHUB_TOKEN") != ""}
	if h.Repository == "" {
		url, err := repo.URL(ctx, w.Config.Remote)
		if err != nil && !errors.Is(err, gitrepo.ErrNoRemote) {
			return release.Hub{}, err
		}
		name, host, ok := github.RepositoryOf(url)
		if !ok || host != "github.com" && os.Getenv("GITHUB_API_URL") == "" {
			return release.Hub{}, ctx.Err() // preflight says what is wrong with the remote
		}
		h.Repository = name
	}
	most, err := patience(os.Getenv("PIPELINE_PATIENCE"))
	if err != nil {
		return h, err
	}
	h.Client, err = github.New(github.Options{
		API:        os.Getenv("GITHUB_API_URL"),
		Repository: h.Repository,
		Token:      github.Token(os.Getenv("GITHUB_TOKEN")),
		Patience:   most,
	})
	return h, err
}

// toolVersion is the version of this program, as the go command built it: a tag, or a commit.
func toolVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == modulePath && m.Version != "" {
			return m.Version
		}
	}
	return "devel"
}

// modulePath is the module that this package is part of.
const modulePath = "github.com/foopack/foopack"

// cache is the folder for what is installed once on a machine.
func (a *app) cache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", operr.New("set HOME or XDG_CACHE_HOME", "there is no cache folder: %w", err)
	}
	return filepath.Join(dir, cacheName), nil
}

// sourceDate is the time that artifacts bear: SOURCE_DATE_EPOCH, or that of the commit. Outside git, and before the first
// commit, it is fixed.
func (a *app) sourceDate(ctx context.Context, w *workspace.Workspace) (time.Time, error) {
	if t, err := epoch(); err != nil || !t.IsZero() {
		return t, err
	}
	var head gitrepo.Head
	repo, err := gitrepo.Open(ctx, a.runner, w.Root)
	if err == nil {
		head, err = repo.Head(ctx)
	}
	switch {
	case err == nil:
		return head.Time, nil
	case ctx.Err() != nil:
		return time.Time{}, context.Cause(ctx)
	case !errors.Is(err, gitrepo.ErrOutside) && !errors.Is(err, gitrepo.ErrNoCommit):
		return time.Time{}, err
	}
	a.view.Say("no commit and no SOURCE_DATE_EPOCH: artifacts bear the date 1980-01-01")
	return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), nil
}
