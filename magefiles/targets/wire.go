// Package targets is the face of the pipeline: Mage targets for any pixi monorepo. A repository gets them by importing
// this package from its magefile:
//
//	//mage:import
//	"github.com/foopack/foopack/magefiles/targets"
//
// A target's body reads its flags, makes one call, and shows what came of it. What the pipeline reads from the environment, and which
// implementation stands behind which interface, is decided in wire.go and nowhere else; lifetime.go says how long a run lives, and how it
// ends. All other files are named after the targets that they have.
package targets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/magefile/mage/mg"
	"golang.org/x/term"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/sources"
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

	channels *ourchannel.Channels
	silence  command.Silence // what is done about children that say nothing

	uploads bool // this run sends what it builds
}

// newApp is the app of this process, as far as the environment lets it be one.
func newApp() (*app, error) {
	dir, err := os.Getwd()
	if err == nil {
		err = noOptions(os.Getenv)
	}
	a := &app{dir: dir, view: newView(), runner: newRunner(), channels: newChannels()}
	if err == nil {
		err = a.watch(os.Getenv("PIPELINE_SILENCE"))
	}
	return a, err
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

// colors reports whether whoever looks at a terminal of ours wants escape sequences: not where NO_COLOR is set, in a CI, and on a
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

// pixi takes the pixi on PATH, or fetches the pinned one.
func (a *app) pixi(ctx context.Context, cache string) (*pixi.Pixi, error) {
	env := a.runner.Environ()
	p, err := pixi.Find(ctx, a.runner, env)
	if !errors.Is(err, command.ErrNotFound) {
		return p, err
	}
	a.view.Once("there is no pixi on PATH: fetching pixi " + pixi.Version + " (checked by its sha256)")
	path, err := pixi.Fetch(ctx, pixi.Source{Cache: cache, Platform: workspace.HostPlatform()})
	if err != nil {
		return nil, err
	}
	return pixi.At(ctx, a.runner, env, path)
}

// sources are what packages of a workspace are built from, by way of clones in the cache: a work tree or a commit.
func (a *app) sources(w *workspace.Workspace, cache string) sources.Sources {
	return sources.Sources{Runner: a.runner, Workspace: w, Cache: filepath.Join(cache, sourcesDir), Tell: a.view.Say, Waiting: a.view.Waiting}
}

// sourcesDir is the folder of those clones, in the cache.
const sourcesDir = "sources"

// embedded is the toolchain for a machine without pixi.
func (a *app) embedded(w *workspace.Workspace, cache, environments string) *embedded.Toolchain {
	var from toolchain.Sources // a clone of ours is built in where it lies
	if environments == "" {
		from = a.sources(w, cache).WorkTree()
	}
	return embedded.New(embedded.Config{
		Runner:       a.runner,
		Sources:      from,
		Environ:      a.runner.Environ(),
		Cache:        cache,
		Workspace:    w,
		Log:          a.view.Err,
		Environments: environments,
		Published: func(ctx context.Context, wanted embedded.Wanted) (string, error) {
			file, unasked, err := a.channels.Fetch(ctx, w, wanted, filepath.Join(cache, "published"))
			if err != nil {
				return "", err // which has the reasons
			}
			for _, reason := range unasked {
				a.view.Once(fmt.Sprintf("%s comes from a channel behind one that could not be asked for it: %s", wanted.Name, reason))
			}
			return file, nil
		},
		Places: pythonPlaces(),
	})
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

// ci is what the CI says that we run in.
func ci() publishing.CI { return publishing.CI{Run: runOfCI(), Tag: tagOfRun(), Output: jobOutput()} }

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

// operator says who runs us, on which machine, and in which run of a CI: what hosts keep of who changed them.
func operator() (who, machine, run string) {
	who = "somebody"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	machine, _ = os.Hostname() // "" where it has no name
	return who, machine, runOfCI()
}

// variable is a variable that a manifest names.
func variable(name string) (value string, there bool) { return os.LookupEnv(name) }

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

// publishing is what builds and publications of a workspace are told.
func (a *app) publishing(w *workspace.Workspace) publishing.Config {
	return publishing.Config{
		Workspace: w,
		Runner:    a.runner,
		View:      a.view,
		CI:        ci(),
		Verbose:   a.view.Verbose,
		Job:       a.show,
		Epoch:     epoch,
		Toolchain: func(ctx context.Context) (toolchain.Toolchain, error) { return a.toolchain(ctx, w) },
		Sources: func() (sources.Sources, error) {
			cache, err := a.cache()
			return a.sources(w, cache), err
		},
		Channel:  func() (publishing.Channel, error) { return a.channels.Of(w) },
		Trial:    trial,
		Pycache:  pycache(),
		Progress: a.view.Progress(),
	}
}

// trial opens a channel of this process, of the same name as ours, for what is not published yet.
func trial(name string) publish.Trial {
	return func(dir string) (publish.Channel, func() error, error) {
		here, err := localprefix.Start(localprefix.Options{Dir: dir})
		if err != nil {
			return nil, nil, err
		}
		client, err := prefixdev.New(prefixdev.Options{Server: here.URL, Token: prefixdev.Token(here.Key)})
		if err != nil {
			return nil, nil, errors.Join(err, here.Close())
		}
		c, err := client.Channel(name)
		if err != nil {
			return nil, nil, errors.Join(err, here.Close())
		}
		return c, here.Close, nil
	}
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

// keptFromPixi are the variables by which pixi fetches packages, and which build backends must not run beside: RATTLER_AUTH_FILE, where its
// key is known to be able to write. It is said once.
func (a *app) keptFromPixi() []string {
	if !a.channels.KeyOfFileUploads(a.uploads) {
		return nil
	}
	a.view.Once(authFile + " is kept from pixi where it builds: its key uploads, and build backends would run beside it. " +
		"Where a build needs it to read a private channel, let the file have a key that reads only, and PREFIX_API_KEY the one that uploads")
	return []string{authFile}
}

// authFile names a file of keys for the servers of conda channels.
const authFile = "RATTLER_AUTH_FILE"

// imageEnvironment is what image builds are told by the environment.
func (a *app) imageEnvironment(w *workspace.Workspace) (imagejob.Settings, error) {
	date, err := epoch()
	return imagejob.Settings{
		Registry:   os.Getenv("IMAGE_REGISTRY"),
		Builder:    os.Getenv("BUILDX_BUILDER"),
		PixiImage:  os.Getenv("PIXI_IMAGE"),
		BaseImage:  os.Getenv("BASE_IMAGE"),
		PixiConfig: os.Getenv("PIXI_CONFIG"),
		AuthFile:   a.channels.AuthFile,
		SBOM:       os.Getenv("BUILDKIT_SBOM_GENERATOR"),
		Server:     a.channels.Server,
		Channel:    a.channels.NameOf(w),
		Date:       date,
		IsSet:      func(variable string) bool { return os.Getenv(variable) != "" },
	}, err
}

// newChannels knows our channel by the environment. Its credential may come from an API key, from the CI that runs us, and from the files that
// the rattler tools keep.
func newChannels() *ourchannel.Channels {
	c := ourchannel.Config{
		Server:   os.Getenv("PREFIX_SERVER_URL"),
		Name:     os.Getenv("PREFIX_CHANNEL"),
		Sources:  prefixdev.Sources{APIKey: os.Getenv("PREFIX_API_KEY")},
		AuthFile: os.Getenv(authFile),
		Open:     openChannels,
		Address:  imagejob.ChannelURL,
	}
	c.Others = func(ctx context.Context, address string) (channel.Channel, error) {
		return imagejob.ToRead(ctx, address, c.AuthFile)
	}
	if ci := oidc.Detect(os.Getenv, oidc.Options{}); ci != nil {
		c.Sources.CI = ci
	}
	if c.AuthFile != "" {
		c.Sources.Files = append(c.Sources.Files, c.AuthFile)
	}
	if home, err := os.UserHomeDir(); err == nil {
		c.Sources.Files = append(c.Sources.Files, filepath.Join(home, ".rattler", "credentials.json"))
	}
	return ourchannel.New(c)
}

// openChannels reaches a server of channels.
func openChannels(server string) (*prefixdev.Client, error) {
	most, err := patience(os.Getenv("PIPELINE_PATIENCE"))
	if err != nil {
		return nil, err
	}
	return prefixdev.New(prefixdev.Options{
		Server:   server,
		Patience: most,
	})
}

// serveChannels is the embedded prefix.dev.
func serveChannels(o localprefix.Options) (*localprefix.Server, error) { return localprefix.Start(o) }

// serveRegistry is a registry of images of this process, in a folder: its host, and what ends it.
func serveRegistry(dir string) (host string, end func(), err error) {
	r, err := localregistry.Start(dir, nil)
	if err != nil {
		return "", nil, err
	}
	return r.Host, func() { _ = r.Close() }, nil
}

// registry asks registries of images for what they have.
func registry() *image.Registry { return &image.Registry{} }

// isRepository refuses what cannot be a repository on GitHub.
func isRepository(name string) error {
	_, err := github.New(github.Options{Repository: name})
	return err
}

// hub is GitHub, where the remote is there or GITHUB_REPOSITORY says which repository is meant.
func (a *app) hub(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (release.Hub, error) {
	h := release.Hub{Repository: os.Getenv("GITHUB_REPOSITORY"), Token: os.Getenv("GITHUB_TOKEN") != ""}
	if h.Repository == "" {
		url, err := gitremote.URL(ctx, repo, w.Config.Remote)
		if err != nil && !errors.Is(err, gitremote.ErrNoRemote) {
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
