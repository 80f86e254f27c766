// Package targets is the face of the pipeline: Mage targets for any pixi monorepo. A repository gets them by importing
// this package from its magefile:
//
//	//mage:import
//	"github.com/foopack/foopack/magefiles/targets"
//
// A target's body reads its flags, makes one call, and shows the result. Only wire.go decides what the pipeline reads from the environment, and
// which implementation each interface has; lifetime.go decides how a run ends.
// All other files are named after the targets that they have.
package targets

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/magefile/mage/mg"
	"golang.org/x/term"

	"github.com/foopack/foopack/magefiles/internal/actions/annotation"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/releasepr"
	"github.com/foopack/foopack/magefiles/internal/releasing"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
	"github.com/foopack/foopack/magefiles/internal/touched"
	"github.com/foopack/foopack/magefiles/internal/usage"
	"github.com/foopack/foopack/magefiles/internal/variables"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// init restarts the program without credentials in its environment, before it starts programs that could read them. A process cannot do more by
// itself: the environment of the process that started this one, and files of the person, stay readable.
func init() {
	handed, _ := command.Reenter(os.Environ()) // if the restart fails, the program still works
	if os.Unsetenv(command.HandedOver) != nil {
		return
	}
	for _, kv := range handed {
		name, value, _ := strings.Cut(kv, "=")
		_ = os.Setenv(name, value) // this name was in the environment before, so it is valid
	}
	readCommandLine()
}

// env reads the variables of this process.
var env = variables.Variables(os.LookupEnv)

// cacheName is the folder in the user's cache folder for everything that the toolchains install for themselves.
const cacheName = "pixi-release"

// pipeline holds everything that a target needs.
type pipeline struct {
	dir    string // folder in which the program was started
	view   *view.View
	runner *command.System

	channels *ourchannel.Channels
	silence  command.Silence // what is done about children that write nothing

	uploads bool // whether this run uploads what it builds
}

// newPipeline returns the pipeline of this process, with settings from the environment.
func newPipeline() (*pipeline, error) {
	dir, err := os.Getwd()
	a := &pipeline{dir: dir, view: newView(), runner: newRunner(), channels: newChannels()}
	if err == nil {
		err = env.Check()
	}
	if err == nil {
		a.silence, err = env.Silence()
	}
	a.silence.Say = func(text string) { a.view.Say("  ▸ %s", text) }
	a.attend()
	return a, err
}

// attend watches children for silence, and shows their last line in the live line.
func (a *pipeline) attend() {
	a.runner.Watch(a.silence)
	a.runner.Hear(a.view.Heard)
}

// processFolders returns the folders of this process, which was started in dir.
func processFolders(dir string) folders.Process {
	s := folders.Process{Checkout: folders.Checkout(dir), Temporary: os.TempDir(), Home: home()}
	if cache, err := os.UserCacheDir(); err == nil {
		s.Cache = filepath.Join(cache, cacheName)
	}
	return s
}

// home returns the person's home folder; "" if there is none.
func home() string {
	dir, _ := os.UserHomeDir() // "" with an error
	return dir
}

func newView() *view.View {
	terminal := terminal(os.Stdout) && terminal(os.Stderr)
	dir, _ := os.Getwd() // without a current folder, annotations name no files
	return &view.View{
		Out:     command.Mask(os.Stdout, secrets()...),
		Err:     command.Mask(os.Stderr, secrets()...),
		Color:   terminal && env.Colors(),
		Actions: env.Actions(),
		InJob:   env.CI().Run != "" || env.Actions(),
		Several: usage.HasSeveral(os.Args[1:]),
		Lookup:  annotation.Below(folders.Checkout(dir)),
		Summary: summary(),
		Verbose: mg.Verbose(),
		Width:   width,
		Breaks:  terminal,
	}
}

// width returns the width of the terminal, in columns.
func width() int {
	columns, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || columns < 20 {
		return 80
	}
	return columns
}

// summary returns a writer for the summary of a GitHub step; nil elsewhere.
func summary() io.Writer {
	if file := view.AppendTo(env.Summary()); file != nil {
		return command.Mask(file, secrets()...)
	}
	return nil
}

// secrets returns the texts that no person is shown.
func secrets() []string { return append(env.Secrets(), command.Secrets(os.Environ())...) }

// today returns the date for a changelog.
func today() string { return env.Today(time.Now()) }

// newRunner returns a runner that starts children in our environment, in which it sets the given variables.
func newRunner(variables ...string) *command.System {
	s := command.NewSystem(command.Setenv(os.Environ(), variables...), secrets())
	if os.Getenv("CI") == "" && terminal(os.Stdin) && terminal(os.Stderr) {
		s.At(command.Terminal{Show: view.Child(os.Stderr, env.Colors()), Hold: view.Hold})
	}
	return s
}

// withTemporary returns a pipeline whose children keep their temporary files in dir.
func (a *pipeline) withTemporary(dir string) *pipeline {
	inside := *a
	inside.runner = newRunner("TMPDIR=" + dir)
	inside.attend()
	return &inside
}

func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// workspace reads the monorepo in which the program was started.
func (a *pipeline) workspace() (*workspace.Workspace, error) { return workspace.Load(a.dir) }

// toolchain picks a toolchain, and reports which it is.
func (a *pipeline) toolchain(ctx context.Context, w *workspace.Workspace) (toolchain.Toolchain, error) {
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

// pick returns the toolchain that PIPELINE_TOOLCHAIN asks for; without it, pixi if it is on PATH, and otherwise the embedded toolchain. Environments
// of the embedded toolchain are below the given folder; if the folder is "", they are beside their manifests.
func (a *pipeline) pick(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error) {
	if err := folders.Check(ctx, a.runner, w); err != nil {
		return nil, err
	}
	if err := processFolders(a.dir).CheckTemporary(); err != nil {
		return nil, err
	}
	a.view.Once(command.Passing(a.runner.Environ(), w.Config.Pass))
	cache, err := a.cache()
	if err != nil {
		return nil, err
	}
	choice, err := env.Toolchain()
	if err != nil {
		return nil, err
	}
	_, missing := command.LookPath("pixi", a.runner.Environ())
	if choice == variables.Embedded || choice == "" && missing != nil {
		//lint:ignore nilerr without pixi, the embedded toolchain is used
		return a.embedded(w, cache, environments), nil
	}
	p, err := a.pixi(ctx, cache, choice == variables.Pixi)
	if err != nil {
		return nil, err
	}
	return p.Pass(w).Keep(a.keptFromPixi()...), nil
}

// pixi returns the pixi on PATH. If there is none, and fetches is set, it fetches the pinned one.
func (a *pipeline) pixi(ctx context.Context, cache string, fetches bool) (*pixi.Pixi, error) {
	p, err := pixi.Find(ctx, a.runner, a.runner.Environ())
	if !fetches || !errors.Is(err, command.ErrNotFound) {
		return p, err
	}
	a.view.Once("there is no pixi on PATH: fetching pixi " + pixi.Version + " (checked by its sha256)")
	path, err := pixi.Fetch(ctx, pixi.Source{Cache: cache, Platform: workspace.HostPlatform()})
	if err != nil {
		return nil, err
	}
	return pixi.At(ctx, a.runner, a.runner.Environ(), path)
}

// sources returns the sources for building packages of a workspace: a work tree or a commit, cloned into the cache.
func (a *pipeline) sources(w *workspace.Workspace, cache string) sources.Sources {
	return sources.Sources{Runner: a.runner, Workspace: w, Cache: filepath.Join(cache, sourcesDir), Tell: a.view.Say, Waiting: a.view.Waiting}
}

// sourcesDir is the folder of these clones, in the cache.
const sourcesDir = "sources"

// embedded returns the toolchain for a machine without pixi.
func (a *pipeline) embedded(w *workspace.Workspace, cache, environments string) *embedded.Toolchain {
	var from toolchain.Sources // nil for one of our own clones, which is built in its folder
	if environments == "" {
		from = a.sources(w, cache).WorkTree()
	}
	return embedded.New(embedded.Config{
		Runner:       a.runner,
		Sources:      from,
		Environ:      a.runner.Environ(),
		Cache:        cache,
		Workspace:    w,
		Log:          a.view.Log(),
		Environments: environments,
		Published: func(ctx context.Context, wanted embedded.Wanted) (string, error) {
			return a.channels.Fetch(ctx, w, wanted, filepath.Join(cache, "published"), a.view.Once)
		},
		Places: env.Pythons(home()),
	})
}

// operator reports who runs this program, on which machine, and in which run of a CI. Hosts record this for each change.
func operator() (who, machine, run string) {
	who = "somebody"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	machine, _ = os.Hostname() // "" if the machine has no name
	return who, machine, env.CI().Run
}

// sshLogin returns the key and the known hosts for logging in to hosts; "" if the operator's own OpenSSH is used.
func sshLogin() (key, knownHosts string) { return env.SSH() }

// variable returns a variable that a manifest names.
func variable(name string) (value string, there bool) { return os.LookupEnv(name) }

// publishing returns the settings for builds and publications of a workspace.
func (a *pipeline) publishing(w *workspace.Workspace) publishing.Config {
	return publishing.Config{
		Workspace: w,
		Runner:    a.runner,
		View:      a.view,
		CI:        env.CI(),
		Verbose:   a.view.Verbose,
		Job:       a.show,
		Epoch:     env.Epoch,
		Toolchain: func(ctx context.Context) (toolchain.Toolchain, error) { return a.toolchain(ctx, w) },
		Sources: func() (sources.Sources, error) {
			cache, err := a.cache()
			return a.sources(w, cache), err
		},
		Channel:  func() (publishing.Destination, error) { return a.channels.Of(w) },
		Trial:    trial,
		Pycache:  os.Getenv("PYTHONPYCACHEPREFIX"), // an isolated interpreter does not read this variable by itself
		Progress: a.view.Progress(),
	}
}

// releaser returns a Releaser. yes answers its questions with yes.
func (a *pipeline) releaser(yes bool) releasing.Releaser {
	return releasing.Releaser{
		Runner:   a.runner,
		Dir:      a.dir,
		View:     a.view,
		Channels: a.channels,
		Tool:     gomodule.BuiltAs(modulePath),
		Today:    today(),
		Lends:    a.runner.Lends,
		Confirm:  func(ctx context.Context, question string) error { return a.confirm(ctx, yes, question) },
		Cache: func() (string, error) {
			cache, err := a.cache()
			return filepath.Join(cache, sourcesDir), err
		},
		Hub: a.hub,
		Tools: func(ctx context.Context, w *workspace.Workspace, environments string, uploads bool) (toolchain.Toolchain, []string, error) {
			a.uploads = uploads
			fetching := command.FetchCredentials(command.Unset(a.runner.Environ(), a.keptFromPixi()...))
			t, err := a.pick(ctx, w, environments)
			return t, fetching, err
		},
		Trial:    trial,
		Pycache:  os.Getenv("PYTHONPYCACHEPREFIX"),
		Readable: readable,
	}
}

// proposer returns what opens the pull request of a release. A job may use the token of a GitHub App, because a pull request that the job's own token
// opens starts no checks.
func (a *pipeline) proposer(yes bool) *releasepr.Proposer {
	return &releasepr.Proposer{
		Runner:  a.runner,
		Dir:     a.dir,
		View:    a.view,
		Today:   today(),
		Confirm: func(ctx context.Context, question string) error { return a.confirm(ctx, yes, question) },
		Hub: func(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (forge.Hub, error) {
			return a.hubBy(ctx, repo, w, env.PullToken())
		},
		Channel: a.channels.URLOf,
		CI:      env.CI(),
		InJob:   a.view.InJob,
		ByJob:   env.Actions() && env.PullToken() == "",
	}
}

// trial opens a channel in this process, for packages that are not published yet. It has the same name as the workspace's channel.
func trial(name string) publish.Trial {
	return func(dir string) (publish.Destination, func() error, error) {
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

// readable names the credentials that code of the repository could read on this machine.
func readable() []string { return command.Readable(home(), os.Environ()) }

// keptFromPixi names the variables that pixi does not get when it builds. This is reported once.
func (a *pipeline) keptFromPixi() []string { return a.channels.KeptFromPixi(a.uploads, a.view.Once) }

// imageEnvironment returns the settings for image builds from the environment.
func (a *pipeline) imageEnvironment(w *workspace.Workspace) (imagejob.Settings, error) {
	date, err := env.Epoch()
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
		StandIn:    os.Getenv("REHEARSAL_BUILDER") != "",
		Date:       date,
		IsSet:      func(variable string) bool { return os.Getenv(variable) != "" },
		HandOn:     env.CI().SetOutput,
	}, err
}

// jobEvent returns the event that started the running job.
func jobEvent() touched.Event { return env.Event() }

// setOutput sets an output of the running job.
func setOutput(name, value string) error { return env.CI().SetOutput(name, value) }

// newChannels finds our channel by the environment, including its credential in a CI.
func newChannels() *ourchannel.Channels {
	c := env.Channel(home())
	c.Open, c.Address = openChannels, imagejob.ChannelURL
	c.Others = func(ctx context.Context, address string) (channel.Channel, error) {
		return imagejob.ToRead(ctx, address, c.AuthFile)
	}
	if ci := oidc.Detect(os.Getenv, oidc.Options{}); ci != nil {
		c.Sources.CI = ci
	}
	return ourchannel.New(c)
}

// openChannels returns a client for a server of channels.
func openChannels(server string) (*prefixdev.Client, error) {
	patience, err := env.Patience()
	if err != nil {
		return nil, err
	}
	return prefixdev.New(prefixdev.Options{Server: server, Patience: patience})
}

// serveChannels starts the embedded prefix.dev.
func serveChannels(o localprefix.Options) (*localprefix.Server, error) { return localprefix.Start(o) }

// serveRegistry starts a registry of images in this process, with its data in a folder. It returns the host, and a function that ends the registry.
func serveRegistry(dir string, wrap func(http.Handler) http.Handler) (host string, end func(), err error) {
	r, err := localregistry.Start(dir, wrap)
	if err != nil {
		return "", nil, err
	}
	return r.Host, func() { _ = r.Close() }, nil
}

// newRegistry returns a client for registries of images.
func newRegistry() *registry.Registry { return &registry.Registry{} }

// hub returns the access to GitHub, if the remote is on GitHub or a variable names the repository.
func (a *pipeline) hub(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (forge.Hub, error) {
	return a.hubBy(ctx, repo, w, "")
}

// hubBy works as hub, with another token instead of GITHUB_TOKEN; "" means GITHUB_TOKEN.
func (a *pipeline) hubBy(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace, token string) (forge.Hub, error) {
	o, err := env.GitHub(func() (string, error) {
		address, err := gitremote.URL(ctx, repo, w.Config.Remote)
		if errors.Is(err, gitremote.ErrNoRemote) {
			return "", nil // preflight reports this
		}
		return address, err
	})
	if err != nil {
		return forge.Hub{}, err
	}
	if o.Repository == "" {
		return forge.Hub{}, ctx.Err() // preflight reports the problem with the remote
	}
	o.Token = cmp.Or(github.Token(token), o.Token)
	client, err := github.New(o)
	return forge.Hub{Repository: o.Repository, Client: client, Token: o.Token != ""}, err
}

// modulePath is the path of the module that contains this package.
const modulePath = "github.com/foopack/foopack"

// cache returns the folder for what is installed once on a machine.
func (a *pipeline) cache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", operr.New("set HOME or XDG_CACHE_HOME", "there is no cache folder: %w", err)
	}
	return filepath.Join(dir, cacheName), nil
}
